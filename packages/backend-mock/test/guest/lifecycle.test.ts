import { describe, expect, it } from 'vitest'
import { virtualClock } from '@xen-replication/backend-mock'
import type { DomId } from '@xen-replication/hypervisor'
import { MIB, everyKind, opened, running } from '../hosts.ts'

describe.each(everyKind)('$title', (spec) => {
  it('is told how it came back from being suspended', async () => {
    const { host, domId } = await running(spec)
    const lifecycle = host.lifecycle(domId)
    for (const how of ['cancelled', 'cancelled', 'resumed'] as const) {
      await host.advance(50)
      await lifecycle.suspend()
      await lifecycle.resume(how)
    }
    await host.advance(50)
    expect(await host.inspect(domId, ({ returned, crash, ops }) => ({ returned, crash, ops }))).toEqual({ returned: { cancelled: 2, resumed: 1 }, crash: undefined, ops: 200 })
  })

  it('is as it was when each call is made twice', async () => {
    const { host, domId } = await running(spec)
    const lifecycle = host.lifecycle(domId)
    await lifecycle.resume('cancelled')
    expect(await lifecycle.state()).toEqual({ dying: false, paused: false, shutdown: undefined })
    await lifecycle.suspend()
    await lifecycle.suspend()
    await lifecycle.pause()
    await lifecycle.pause()
    expect(await lifecycle.state()).toEqual({ dying: false, paused: true, shutdown: 'suspend' })
    await lifecycle.resume('cancelled')
    await lifecycle.resume('resumed')
    expect(await lifecycle.state()).toEqual({ dying: false, paused: true, shutdown: undefined })
    await lifecycle.unpause()
    await lifecycle.unpause()
    await host.advance(10)
    expect(await host.inspect(domId, ({ returned }) => returned)).toEqual({ cancelled: 1, resumed: 0 })
    await lifecycle.destroy()
    await lifecycle.destroy()
    expect(await host.list()).toEqual([])
  })

  it('gives its CPU state only while it stands still', async () => {
    const { guest } = await opened(spec)
    const read = (): Promise<unknown> => (spec.kind === 'pv' ? guest.cpu.pvVcpu(0) : guest.cpu.hvmContext())
    await expect(read()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.lifecycle.suspend()
    await expect(read()).resolves.toBeDefined()
  })
})

describe('suspending', () => {
  it('takes as long as the guest needs, and the guest runs on meanwhile', async () => {
    const { host, domId } = await running({ kind: 'pv', suspend: { latencyMs: 25 } }, { clock: virtualClock({ idle: 'jump' }) })
    await host.lifecycle(domId).suspend()
    expect(host.clock.now()).toBe(25)
    expect(await host.inspect(domId, ({ ops }) => ops)).toBe(25)
  })

  it.each([
    ['that never answers', { answer: 'ignore' }],
    ['that answers too late', { latencyMs: 70_000 }],
  ] as const)('a guest %s times out after a minute, and the guest runs on', async (_, suspend) => {
    const { host, domId } = await running({ kind: 'hvm', suspend }, { clock: virtualClock({ idle: 'jump' }) })
    await expect(host.lifecycle(domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND_TIMEOUT' })
    expect(host.clock.now()).toBe(60_000)
    expect((await host.list())[0]).toMatchObject({ shutdown: undefined, paused: false })
    expect(host.leaks()).toEqual([])
  })

  it.each(['crash', 'poweroff'] as const)('a guest that ends by %s instead fails, also the next time', async (answer) => {
    const { host, domId } = await running({ kind: 'pvh', suspend: { answer } })
    await expect(host.lifecycle(domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
    await expect(host.lifecycle(domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
    await expect(host.lifecycle(domId).resume('cancelled')).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
    expect((await host.list())[0]).toMatchObject({ shutdown: answer })
  })

  it('ends as soon as the caller gives up', async () => {
    const { host, domId } = await running({ kind: 'pv', suspend: { latencyMs: 1000 } })
    const abort = new AbortController()
    const suspended = host.lifecycle(domId).suspend(abort.signal)
    setTimeout(() => abort.abort(), 5)
    await expect(suspended).rejects.toMatchObject({ name: 'AbortError' })
    expect((await host.list())[0]).toMatchObject({ shutdown: undefined })
  })

  it('is not possible while the guest is paused', async () => {
    const { host, domId } = await running({ kind: 'pv', start: 'paused' })
    await expect(host.lifecycle(domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })
})

describe('a guest', () => {
  it('that is gone is told from one that stands still', async () => {
    const { host, guest, domId } = await opened({ kind: 'pv' })
    await host.lifecycle(domId).destroy()
    for (const call of [guest.memory.frames(), guest.lifecycle.state(), guest.lifecycle.suspend(), guest.cpu.tsc(), host.openForSave(domId), host.config(domId), host.openForSave(99 as DomId)]) {
      await expect(call).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    }
    await guest.close()
    await guest.close()
    expect(host.leaks()).toEqual([])
  })

  it('that ends by itself stays until it is destroyed', async () => {
    const { host, domId } = await running({ kind: 'hvm' })
    await host.end(domId, 'reboot')
    expect(await host.lifecycle(domId).state()).toEqual({ dying: false, paused: false, shutdown: 'reboot' })
    await expect(host.lifecycle(domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
    await expect(host.end(77 as DomId, 'crash')).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
  })

  it('is named anew, in its configuration too, unless the name is taken', async () => {
    const { host, domId } = await running({ kind: 'hvm' })
    const other = await host.createGuest({ name: 'other', kind: 'pv', memoryBytes: 4 * MIB })
    await expect(host.rename(domId, 'other')).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    await host.rename(domId, 'demo--migratedaway')
    await host.rename(other, 'demo')
    expect((await host.list()).map(({ name }) => name)).toEqual(['demo--migratedaway', 'demo'])
    expect(JSON.parse(await host.config(other))).toMatchObject({ c_info: { name: 'demo', type: 'pv' }, b_info: { max_memkb: 4096, max_vcpus: 1 } })
  })
})
