import { compose, noRegistry, systemClock, T, type ComposeRequest } from '@xen-replication/toolstack'
import { definePlugin, type Plugin } from '@xen-replication/plugin-api'
import type { HypervisorBackend } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'

/** A host that can be listed and closed, and notes what is asked of it. */
function fake(capabilities: readonly string[] = []) {
  const log: string[] = []
  const guest = { domId: 1, name: 'demo', uuid: 'AB', kind: 'pv', dying: false, paused: false, shutdown: undefined }
  const backend = {
    name: 'fake', capabilities: new Set(capabilities), clock: systemClock,
    list: () => Promise.resolve(log.push('list') > 0 ? [guest] : []),
    create: () => Promise.resolve(2),
    close: () => Promise.resolve(void log.push('close')),
  } as unknown as HypervisorBackend
  const plugin = definePlugin({
    name: 'fake', api: 1,
    contribute: (to) => {
      to.backend('fake', { summary: 'for tests', open: (settings) => Promise.resolve(log.push(`open ${settings['speed'] ?? ''}`) > 0 ? backend : backend) })
      to.transport('mem', { duplex: true, dial: () => Promise.reject(new Error('dialled')), listen: () => Promise.reject(new Error('listened')) })
    },
  })
  return { log, plugin }
}

const composed = (plugins: readonly Plugin[], more: Partial<ComposeRequest> = {}) =>
  compose({ backend: 'fake', settings: { speed: '9' }, plugins, clock: systemClock, registry: noRegistry, signal: new AbortController().signal, ...more })
const never = new AbortController().signal

describe('a toolstack', () => {
  it('opens the backend when it is needed, once, with the settings, and closes it', async () => {
    const { log, plugin } = fake()
    const stack = await composed([plugin])
    expect((await stack.get(T.collected)).contributions.length).toBe(2)
    expect(log).toEqual([])
    await (await stack.get(T.list))()
    await (await stack.get(T.list))()
    expect(log).toEqual(['open 9', 'list', 'list'])
    await stack.close()
    expect(log.at(-1)).toBe('close')
  })

  it('is refused before anything is opened when plugins get in each other’s way', async () => {
    const { log, plugin } = fake()
    await expect(composed([plugin, plugin])).rejects.toMatchObject({ code: 'PLUGIN_DUPLICATE' })
    await expect(composed([plugin], { backend: 'other' })).rejects.toMatchObject({ code: 'PLUGIN_NO_BACKEND' })
    expect(log).toEqual([])
  })

  it('tells observers of plugins and of the caller', async () => {
    const { plugin } = fake(['log-dirty-pv'])
    const seen: string[] = []
    const watching = definePlugin({
      name: 'w', api: 1,
      contribute: (to) => {
        to.observer('w', { summary: 'w', open: () => Promise.resolve({ observe: ({ kind }) => void seen.push(`plugin ${kind}`), close: () => Promise.resolve(void seen.push('plugin closed')) }) })
        to.observer('none', { summary: 'not asked for', open: () => Promise.resolve(undefined) })
      },
    })
    const stack = await composed([plugin, watching], { observers: [{ observe: ({ kind }) => void seen.push(kind), close: () => Promise.resolve() }] })
    await expect((await stack.get(T.migrate))({ dom: 'demo', url: 'mem:', peer: 'xr', mode: 'live' }, never)).rejects.toThrow('dialled')
    await stack.close()
    expect(seen).toEqual(['operation.begin', 'plugin operation.begin', 'operation.end', 'plugin operation.end', 'plugin closed'])
  })
})

describe('what cannot work', () => {
  it('is told before the guest is touched', async () => {
    const { plugin } = fake()
    const stack = await composed([plugin])
    const migrate = await stack.get(T.migrate)
    const one = { dom: 'ab', peer: 'xr', mode: 'live' } as const
    await expect(migrate({ ...one, url: 'smoke:x' }, never)).rejects.toMatchObject({ code: 'PLUGIN_NO_TRANSPORT' })
    await expect(migrate({ ...one, url: 'mem:' }, never)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining('lacks log-dirty-pv') as string, hint: expect.stringContaining('--stopped') as string })
    await expect(migrate({ ...one, url: 'mem:', dom: 'nobody' }, never)).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    await expect((await stack.get(T.save))({ dom: '1', url: 'smoke:x', then: 'resume' }, never)).rejects.toMatchObject({ code: 'PLUGIN_NO_TRANSPORT' })
    await expect((await stack.get(T.create))({ name: 'x', kind: 'pv', settings: {} })).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining('makes no guests') as string })
    expect(await (await (await composed([fake(['create']).plugin])).get(T.create))({ name: 'x', kind: 'pv', settings: {} })).toBe(2)
  })
})
