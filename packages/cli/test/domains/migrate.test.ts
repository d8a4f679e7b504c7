import { createMockHost, virtualClock, type MockHost } from '@xen-replication/backend-mock'
import type { DomId, GuestForSave } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { bench, benchOver, imageOf, kinds, migrate, over, receive, standing, worked, type Bench } from './bench.ts'
import { differences } from './guest-diff.ts'
import { memoryWire, type Break } from './memory-wire.ts'

/** How both sides of a migration ended. */
interface Both {
  readonly from: Bench
  readonly to: Bench
  readonly sent: PromiseSettledResult<unknown>
  readonly received: PromiseSettledResult<unknown>
  readonly passed: { readonly there: number; readonly back: number }
}

interface Ways {
  readonly peer: 'xr' | 'xl'
  readonly mode?: 'live' | 'stopped'
  readonly cut?: Break
  readonly faultsHere?: string
  readonly faultsThere?: string
  readonly spec?: (typeof kinds)[number]
  readonly then?: 'run' | 'stay-paused'
}

const PV = kinds[2] as (typeof kinds)[number]

async function both({ peer, mode = 'live', cut, faultsHere = '', faultsThere = '', spec = PV, then = 'run' }: Ways): Promise<Both> {
  const { plugin, passed } = memoryWire(cut)
  const [from, to] = [await bench({ faults: faultsHere, plugins: [plugin] }), await bench({ faults: faultsThere, plugins: [plugin] })]
  await worked(from, { ...spec, memoryBytes: 4 << 20 })
  const [sent, received] = await Promise.allSettled([migrate(from, { url: 'mem:', peer, mode }), receive(to, { url: 'mem:', peer, then })])
  return { from, to, sent, received, passed }
}

const codeOf = (one: PromiseSettledResult<unknown>): string => (one.status === 'fulfilled' ? 'done' : String((one.reason as { readonly code?: unknown }).code))
const runnable = async (at: Bench): Promise<number> => (await standing(at)).filter((line) => line.endsWith(' runs')).length
const peers = ['xr', 'xl'] as const

describe.each(kinds)('$title', (spec) => {
  it.each(peers.flatMap((peer) => (['live', 'stopped'] as const).flatMap((mode) => (['counter', 'zipf'] as const).map((workload) => ({ peer, mode, workload })))))('is on the other host what it was: $peer, $mode, $workload', async ({ peer, mode, workload }) => {
    const { plugin } = memoryWire()
    const host = createMockHost({ clock: virtualClock() })
    let last: Uint8Array | undefined
    const watched = lastLook(host, async (domId) => {
      last = await imageOf({ host }, domId)
    })
    const from = await benchOver(host, watched, [plugin], ({ kind }) => {
      if (kind === 'save.pass-begin') void host.advance(40) // it works while it moves
    })
    const to = await bench({ plugins: [plugin] })
    await worked(from, { ...spec, workload, tablesEvery: 20 })
    const [, { domId }] = await Promise.all([migrate(from, { url: 'mem:', peer, mode }), receive(to, { url: 'mem:', peer, then: spec.kind === 'pv' ? 'run' : 'stay-paused' })])
    expect([await standing(from), await standing(to)]).toEqual([[], [spec.kind === 'pv' ? 'demo runs' : 'demo paused']])
    expect(from.host.leaks()).toEqual([])
    if (spec.kind === 'pv') await to.host.lifecycle(domId).suspend()
    if (mode === 'live') expect(from.seen.some((event) => event.kind === 'save.dirty' && event.data.pages > 0)).toBe(true)
    expect(await differences(spec.kind, last ?? new Uint8Array(0), await imageOf(to, domId))).toEqual([])
  })
})

/** Looks at a guest before it is destroyed. */
function lastLook(host: MockHost, look: (domId: DomId) => Promise<void>): MockHost {
  return over(host, {
    openForSave: async (domId: DomId): Promise<GuestForSave> => {
      const guest = await host.openForSave(domId)
      const destroy = async (): Promise<void> => {
        await look(domId)
        await guest.lifecycle.destroy()
      }
      return over(guest, { lifecycle: over(guest.lifecycle, { destroy }) })
    },
  })
}

describe.each(peers)('a guest that moves to %s', (peer) => {
  const here = ['config', 'openForSave', 'enable', 'take:1', 'take:2', 'map:1', 'map:5', 'types', 'suspend', 'pvVcpu:1', 'tsc', 'policy']
  it.each(here)('stays and runs on when its host fails at %s', async (call) => {
    const { from, to, sent, received } = await both({ peer, faultsHere: `${call}=fail` })
    expect([await standing(from), await standing(to)]).toEqual([['demo runs'], []])
    expect([codeOf(sent).startsWith('BACKEND_'), codeOf(received) === 'done']).toEqual([true, false])
    expect([from.host.leaks(), to.host.leaks()]).toEqual([[], []])
  })

  it('stays and has never stood still when it does not answer', async () => {
    const { from, to, sent } = await both({ peer, faultsHere: 'suspend=timeout' })
    expect([codeOf(sent), await standing(from), await standing(to)]).toEqual(['BACKEND_SUSPEND_TIMEOUT', ['demo runs'], []])
    expect([from.host.leaks(), to.host.leaks()]).toEqual([[], []])
  })

  const there = ['openForRestore', 'populate:1', 'map:2', 'setTsc', 'setPvVcpu:1', 'pin', 'complete', 'unpause', ...(peer === 'xl' ? ['rename'] : [])]
  it.each(there)('stays and runs on when the other host fails at %s', async (call) => {
    const { from, to, sent, received } = await both({ peer, faultsThere: `${call}=fail` })
    expect([await standing(from), await standing(to)]).toEqual([['demo runs'], []])
    expect([codeOf(sent) === 'done', codeOf(received).startsWith('BACKEND_')]).toEqual([false, true])
    expect([from.host.leaks(), to.host.leaks()]).toEqual([[], []])
  })

  it('runs there also when its old copy cannot be destroyed, and that is told', async () => {
    const { from, to, sent, received } = await both({ peer, faultsHere: 'destroy=fail' })
    expect([codeOf(sent), codeOf(received)]).toEqual(['TOOL_LEFT_OVER', 'done'])
    expect([await standing(from), await standing(to)]).toEqual([[peer === 'xl' ? 'demo--migratedaway suspend' : 'demo suspend'], ['demo runs']])
  })

  it('is not let run twice when the copy there can neither start nor be destroyed', async () => {
    const { from, to, sent, received } = await both({ peer, faultsThere: 'unpause=fail,destroy=fail' })
    expect([codeOf(received), await runnable(to)]).toEqual(['TOOL_LEFT_OVER', 0])
    expect(codeOf(sent)).not.toBe('done')
    expect(await runnable(from)).toBeLessThanOrEqual(1)
  })

  it('is here or there, and never both, wherever the wire is cut', async () => {
    const { passed } = await both({ peer })
    const inside = [1, 30, 200, 1400, 3000, 100_000, Math.floor(passed.there / 2)]
    const near = Array.from({ length: 24 }, (_, i) => i * 9)
    const cuts: readonly Break[] = [
      ...[...inside, ...near.map((n) => passed.there - n)].map((n): Break => ({ there: n })),
      ...Array.from({ length: 20 }, (_, i): Break => ({ back: Math.max(1, Math.floor((passed.back * (i + 1)) / 20)) })),
    ]
    for (const cut of cuts) {
      const { from, to, sent, received } = await both({ peer, cut })
      const running = [await runnable(from), await runnable(to)]
      const told = `${JSON.stringify(cut)}: ${codeOf(sent)}, ${codeOf(received)}, running ${running.join(' and ')}`
      expect((running[0] ?? 0) + (running[1] ?? 0), told).toBeLessThanOrEqual(1)
      if (codeOf(sent) === 'SESSION_UNDECIDED') expect((await standing(from))[0], told).toMatch(/suspend$/)
      else expect((running[0] ?? 0) + (running[1] ?? 0), told).toBe(1)
      if (codeOf(sent) !== 'done' && codeOf(sent) !== 'SESSION_UNDECIDED') expect(await standing(to), told).toEqual([])
      expect(to.host.leaks(), told).toEqual([])
    }
  })

  it.each(['here', 'there'] as const)('stays and runs on when it is called off %s', async (side) => {
    const { plugin } = memoryWire()
    const stop = new AbortController()
    const [from, to] = [await bench({ plugins: [plugin], see: ({ kind }) => kind === 'save.pages' && stop.abort() }), await bench({ plugins: [plugin] })]
    await worked(from, PV)
    const none = new AbortController().signal
    const [sent, received] = await Promise.allSettled([migrate(from, { url: 'mem:', peer }, side === 'here' ? stop.signal : none), receive(to, { url: 'mem:', peer, then: 'run' }, side === 'there' ? stop.signal : none)])
    expect(codeOf(side === 'here' ? sent : received)).toBe('TOOL_INTERRUPTED')
    expect(codeOf(side === 'here' ? received : sent)).not.toBe('done')
    expect([await standing(from), await standing(to)]).toEqual([['demo runs'], []])
    expect([from.host.leaks(), to.host.leaks()]).toEqual([[], []])
  })
})
