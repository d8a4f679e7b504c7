import { createMockHost, realClock } from '@xen-replication/backend-mock'
import type { CheckpointDevice, DomId } from '@xen-replication/hypervisor'
import { remusPlugin } from '@xen-replication/remus'
import { describe, expect, it } from 'vitest'
import { benchOver, over, type Bench } from '../domains/bench.ts'
import { memoryWire } from '../domains/memory-wire.ts'

const { T } = await import('@xen-replication/toolstack')
const never = new AbortController().signal

/** A host whose guests have a guard, as on Xen; what the guard is told is written down. */
async function guarded(epochs: number): Promise<{ readonly side: Bench; readonly told: string[]; readonly stop: AbortController; readonly wire: ReturnType<typeof memoryWire> }> {
  const told: string[] = []
  const tell = (what: string) => (): Promise<void> => Promise.resolve(void told.push(what))
  const guard: CheckpointDevice = { name: 'guard', kind: 'guest', setup: tell('setup'), postsuspend: tell('postsuspend'), preresume: tell('preresume'), commit: tell('commit'), waiting: () => Promise.resolve(0), teardown: (held) => tell(held)() }
  const host = createMockHost({ clock: realClock() })
  await host.createGuest({ kind: 'pvh', memoryBytes: 4 << 20, name: 'demo' })
  const stop = new AbortController()
  const wire = memoryWire()
  const backend = over(host, { openForSave: async (domId: DomId) => over(await host.openForSave(domId), { devices: [guard] }) })
  const side = await benchOver(host, backend, [remusPlugin, wire.plugin], (event) => {
    if (event.kind === 'epoch.released' && event.data.epoch === epochs - 1) stop.abort()
  })
  return { side, told, stop, wire }
}

const options = { interval: 10, 'no-netbuf': true, 'no-diskbuf': true, unsafe: true }

describe('the guard of a protected guest', () => {
  it('watches from the first checkpoint to the end, whatever else is not held back', async () => {
    const { side, told, stop, wire } = await guarded(2)
    const backup = await benchOver(createMockHost({ clock: realClock() }), createMockHost({ clock: realClock() }), [remusPlugin, wire.plugin])
    const received = (await backup.stack.get(T.receive))({ url: 'mem:', peer: 'xr', then: 'run' }, never)
    await expect((await side.stack.get(T.replicate))({ verb: 'remus', strategy: 'remus', options, doms: ['demo'], url: 'mem:', failureMs: 4000 }, stop.signal)).rejects.toMatchObject({ code: 'TOOL_INTERRUPTED' })
    await received
    expect([told[0], told.filter((one) => one === 'setup').length, told.at(-1)]).toEqual(['setup', 1, 'release'])
  })

  it('is not set where nobody could take the guest over', async () => {
    const { side, told, stop } = await guarded(2)
    await expect((await side.stack.get(T.replicate))({ verb: 'remus', strategy: 'remus', options: { ...options, blackhole: true }, doms: ['demo'], url: undefined }, stop.signal)).rejects.toMatchObject({ code: 'TOOL_INTERRUPTED' })
    expect(told).toEqual([])
  })
})
