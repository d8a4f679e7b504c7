import { createMockHost, virtualClock } from '@xen-replication/backend-mock'
import { isXrError } from '@xen-replication/errors'
import { expect } from 'vitest'
import { bench, benchOver, kinds, migrate, receive, standing, worked, type Bench } from '../domains/bench.ts'
import { cutWire, type Cut, type CutWire } from './cut-wire.ts'

export interface Move {
  readonly peer: 'xr' | 'xl'
  readonly spec: (typeof kinds)[number]
  readonly mode: 'live' | 'stopped'
  readonly cut?: Cut | undefined
  /** How long the two wait for another link, in milliseconds. */
  readonly waitMs?: number
}

/** A migration over a link that breaks, when it is over on both sides. */
export interface Moved {
  readonly move: Move
  readonly from: Bench
  readonly to: Bench
  readonly sent: PromiseSettledResult<unknown>
  readonly received: PromiseSettledResult<unknown>
  readonly wire: CutWire
}

/** Time a guest works in each round of a live migration, in milliseconds. */
const ROUND_MS = 20

export async function moved(move: Move): Promise<Moved> {
  const { peer, spec, mode, cut, waitMs = 0 } = move
  const wire = cutWire(cut)
  const host = createMockHost({ clock: virtualClock() })
  const from = await benchOver(host, host, [wire.plugin], ({ kind }) => {
    if (kind === 'save.pass-begin' && mode === 'live') void host.advance(ROUND_MS)
  })
  const to = await bench({ plugins: [wire.plugin] })
  await worked(from, { ...spec, memoryBytes: 4 << 20, workload: 'zipf' })
  const [sent, received] = await Promise.allSettled([migrate(from, { url: 'cut:', peer, mode, link: { waitMs } }), receive(to, { url: 'cut:', peer, then: 'run', waitMs })])
  return { move, from, to, sent, received, wire }
}

export const outcome = (one: PromiseSettledResult<unknown>): string => (one.status === 'fulfilled' ? 'done' : isXrError(one.reason) ? one.reason.code : String(one.reason))

/** What has to hold of two hosts between which a guest moved, or did not, wherever the link broke. */
export async function requireOneGuest({ move, from, to, sent, received }: Moved): Promise<void> {
  const [here, there] = [await standing(from), await standing(to)]
  const end = outcome(sent)
  const told = `${JSON.stringify(move.cut)}: ${end}, ${outcome(received)}; here ${here.join()}; there ${there.join()}`
  const running = [...here, ...there].filter((line) => line === 'demo runs').length
  expect(running, told).toBeLessThanOrEqual(1)
  expect(there, told).toEqual(outcome(received) === 'done' ? ['demo runs'] : [])
  expect(to.host.leaks(), told).toEqual([])
  if (end === 'SESSION_UNDECIDED') {
    const { hint } = (sent as PromiseRejectedResult).reason as { readonly hint: string }
    expect(hint, told).toMatch(/other host[^]*never both/)
    expect(here, told).toEqual([move.peer === 'xl' ? 'demo--migratedaway suspend' : 'demo suspend'])
    expect(from.host.leaks().map(({ what, count }) => [what, count]), told).toEqual([['suspended', 1]])
    return
  }
  expect(running, told).toBe(1)
  expect(here, told).toEqual(end === 'done' ? [] : ['demo runs'])
  expect(from.host.leaks(), told).toEqual([])
  await requireWell(end === 'done' ? to : from, told)
}

/** The guest works on where it runs. */
async function requireWell({ host }: Bench, told: string): Promise<void> {
  const [demo] = await host.list()
  if (demo === undefined) throw new Error(`no guest: ${told}`)
  const before = await host.inspect(demo.domId, ({ ops }) => ops)
  await host.advance(20)
  expect(await host.inspect(demo.domId, ({ crash, ops }) => ({ crash, works: ops > before })), told).toEqual({ crash: undefined, works: true })
}
