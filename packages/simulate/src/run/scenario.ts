import type { FaultCall } from '@xen-replication/backend-mock'
import type { GuestKind } from '@xen-replication/hypervisor'
import type { Chance } from '../chance.ts'
import type { Manner } from '../strategies.ts'
import type { NetworkManner, Site } from '../network/network.ts'
import type { Skew } from '../time/process-clock.ts'

export type HostName = 'a' | 'b'

/** Something that goes wrong, or that an operator wants. */
export type Trouble =
  /** kill -9; its guest lives on. */
  | { readonly what: 'kill'; readonly who: HostName }
  /** The host loses its power, and nobody says so. */
  | { readonly what: 'power'; readonly who: HostName; readonly keep: number }
  /** The process stands still, or the whole host. */
  | { readonly what: 'freeze'; readonly who: HostName; readonly all: boolean; readonly ms: number }
  /** The connection is reset; for one side only, the other finds out when it sends. */
  | { readonly what: 'cut'; readonly who: 'both' | HostName; readonly keep: number }
  | { readonly what: 'block'; readonly ways: readonly (readonly [Site, Site])[]; readonly ms: number }
  | { readonly what: 'arbiter-down'; readonly ms: number }
  | { readonly what: 'slow'; readonly factor: number; readonly ms: number }
  | { readonly what: 'wish'; readonly who: HostName; readonly wish: 'stop' | 'failover' }

/** When something goes wrong: at a time, or so long after one side has come to a state of its table. */
interface PlannedTrouble {
  readonly at: number
  readonly when: { readonly who: HostName; readonly state: string } | undefined
  readonly trouble: Trouble
}

/** All that is drawn for a run before it begins. */
export interface Scenario {
  readonly kind: GuestKind
  readonly pages: number
  readonly workload: 'counter' | 'uniform' | 'zipf' | 'database'
  /** Operations a second. */
  readonly rate: number
  /** Packets from one that is of its moment, so that no two guests send the same, to the next; 0: never. */
  readonly noiseEvery: number
  readonly intervalMs: number
  readonly heartbeatMs: number
  readonly silenceMs: number
  readonly stalledMs: number
  /** Room for an epoch, in bytes; what is beyond it is sent while the guest stands. */
  readonly stageBytes: number
  readonly network: NetworkManner
  readonly skew: { readonly a: Skew; readonly b: Skew }
  /** Longest time that a call to the host usually takes, in milliseconds. */
  readonly callMs: number
  /** One call to a host that fails. */
  readonly broken: { readonly who: HostName; readonly call: FaultCall; readonly time: number } | undefined
  readonly troubles: readonly PlannedTrouble[]
}

const LEAST_PAGES = { pv: 72, sparse: 272 } as const
/** Troubles begin within so many milliseconds. */
const WINDOW_MS = 100
/** How far a clock may be off: far more than any quartz. */
const DRIFT = 0.02

/** @param states of the tables of the two sides, which troubles may wait for */
export function drawScenario(chance: Chance, { secondary, kinds, otherKinds }: Manner, states: Readonly<Record<HostName, readonly string[]>>): Scenario {
  const runsAlong = secondary === 'runs-along'
  const heartbeatMs = chance.pick([10, 20, 50])
  const kind = chance.of(otherKinds) ? (chance.pick(kinds.slice(1)) ?? kinds[0]) : kinds[0]
  const silenceMs = heartbeatMs * chance.pick([2, 3, 3, 5])
  return {
    kind,
    pages: LEAST_PAGES[kind === 'pv' ? 'pv' : 'sparse'] + chance.whole(0, 16),
    workload: chance.pick(['counter', 'uniform', 'zipf', 'database'] as const),
    rate: chance.pick([1_000, 2_000, 5_000, 20_000]),
    noiseEvery: runsAlong ? chance.pick([0, 2, 5, 20]) : 0,
    intervalMs: chance.pick([5, 10, 20, 40]),
    heartbeatMs,
    silenceMs,
    stalledMs: Math.max(500, 2 * silenceMs),
    stageBytes: chance.pick([16, 64, 512, 512]) * 1024,
    network: drawNetwork(chance),
    skew: { a: drawSkew(chance), b: drawSkew(chance) },
    callMs: chance.pick([0.2, 1, 3]),
    broken: chance.of(0.1) ? (runsAlong && chance.of(0.6) ? drawBrokenAlong(chance) : drawBroken(chance)) : undefined,
    troubles: Array.from({ length: chance.pick([0, 1, 1, 1, 1, 1, 2, 2, 3, 4]) }, () => drawPlanned(chance, states)),
  }
}

function drawNetwork(chance: Chance): NetworkManner {
  return { latencyMs: chance.pick([0.05, 0.2, 1, 5]), jitterMs: chance.pick([0, 0.1, 1, 5]), loss: chance.pick([0, 0, 0, 0.001, 0.01]), rate: chance.pick([12_500, 125_000, 1_250_000]) }
}

const drawSkew = (chance: Chance): Skew => ({ offset: chance.whole(0, 1e9), rate: chance.pick([1, 1 - DRIFT, 1 + DRIFT]) })

function drawBroken(chance: Chance): Scenario['broken'] {
  const a = ['suspend', 'resume', 'unpause', 'pause', 'destroy', 'device.setup', 'device.postsuspend', 'device.preresume', 'device.commit', 'device.teardown', 'map', 'take', 'frames', 'close'] as const
  const b = ['openForRestore', 'populate', 'map', 'complete', 'rename', 'unpause', 'destroy', 'close'] as const
  return chance.of(0.6) ? { who: 'a', call: chance.pick(a), time: chance.whole(1, 12) } : { who: 'b', call: chance.pick(b), time: chance.whole(1, 6) }
}

/** A call that only guests on both hosts need. */
function drawBrokenAlong(chance: Chance): Scenario['broken'] {
  const a = ['openTaps', 'tap.open', 'tap.taken', 'tap.rest', 'tap.send', 'tap.close'] as const
  const b = ['openShadow', 'openTaps', 'tap.open', 'tap.taken', 'tap.rest', 'tap.close', 'take', 'suspend', 'resume', 'pause', 'device.setup', 'device.postsuspend', 'device.preresume', 'device.teardown'] as const
  return chance.of(0.4) ? { who: 'a', call: chance.pick(a), time: chance.whole(1, 6) } : { who: 'b', call: chance.pick(b), time: chance.whole(1, 6) }
}

const draws: readonly [(chance: Chance) => Trouble, ...((chance: Chance) => Trouble)[]] = [
  (chance) => ({ what: 'kill', who: host(chance) }),
  (chance) => ({ what: 'power', who: host(chance), keep: chance.real() }),
  (chance) => ({ what: 'freeze', who: host(chance), all: chance.of(0.5), ms: span(chance) }),
  (chance) => ({ what: 'cut', who: chance.pick(['both', 'a', 'b'] as const), keep: chance.real() }),
  (chance) => ({ what: 'block', ways: drawWays(chance), ms: chance.of(0.4) ? Infinity : span(chance) }),
  (chance) => ({ what: 'block', ways: [['a', 'b'], ['b', 'a'], ...drawWays(chance)], ms: chance.of(0.6) ? Infinity : span(chance) }),
  (chance) => ({ what: 'arbiter-down', ms: span(chance) }),
  (chance) => ({ what: 'slow', factor: chance.pick([3, 20, 100]), ms: span(chance) }),
  (chance) => ({ what: 'wish', who: host(chance), wish: chance.pick(['stop', 'failover', 'failover'] as const) }),
]

/** Troubles that wait for a state meet what happens seldom. */
function drawPlanned(chance: Chance, states: Readonly<Record<HostName, readonly string[]>>): PlannedTrouble {
  const who = host(chance)
  const trouble = drawTrouble(chance)
  if (chance.of(0.6)) return { at: chance.between(0, WINDOW_MS), when: undefined, trouble }
  return { at: chance.pick([0, 0.5, 2, 10]) * chance.real(), when: { who, state: chance.pick(states[who]) ?? '' }, trouble }
}

const drawTrouble = (chance: Chance): Trouble => chance.pick(draws)(chance)
const host = (chance: Chance): HostName => chance.pick(['a', 'b'])
const span = (chance: Chance): number => chance.pick([5, 50, 150, 400, 1200]) * chance.between(0.5, 1.5)

/** Some of the ways, each direction by itself. */
function drawWays(chance: Chance): readonly (readonly [Site, Site])[] {
  const all: readonly (readonly [Site, Site])[] = [['a', 'b'], ['b', 'a'], ['a', 'arbiter'], ['arbiter', 'a'], ['b', 'arbiter'], ['arbiter', 'b']]
  return all.filter(() => chance.of(0.35))
}
