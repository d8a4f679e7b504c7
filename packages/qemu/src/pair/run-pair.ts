import { drive, type AbortSignalLike, type Claim, type Clock, type Verdict } from '@xen-replication/plugin-api'
import { QemuError } from '../qemu-error.ts'
import type { PairPlan } from './plan.ts'
import { modeOf, setUpPair, statusOf, type Monitors, type SetUp } from './set-up.ts'
import { pairTable, type PairEffect, type PairEvent, type PairState } from './table.ts'
import { watchPair, type WatchTimes } from './watch.ts'

type Side = Claim['side']

/** What happens, for whoever looks on. */
export type PairNote =
  | { readonly kind: 'move'; readonly from: PairState; readonly event: PairEvent; readonly to: PairState }
  /** The guest ran again after a checkpoint. */
  | { readonly kind: 'checkpoint'; readonly number: number; readonly pausedMs: number }
  | ({ readonly kind: 'arbiter'; readonly side: Side } & Judgement)

/** What an arbiter says, or what holds where there is none. */
export interface Judgement {
  readonly answer: Verdict['answer']
  readonly reason: string | undefined
}

export interface PairPorts {
  readonly monitors: Monitors
  readonly plan: PairPlan
  /** Decides whether this side may run the guest alone. Comes to an end by itself: what cannot be found out in time is unknown. */
  readonly judge: (side: Side, signal: AbortSignalLike) => Promise<Judgement>
  /** Each pairing has another one. */
  readonly session: string
  readonly clock: Clock
  readonly signal: AbortSignalLike
  readonly observe?: (note: PairNote) => void
  readonly times?: Partial<WatchTimes> & {
    /** Longest time until both guests run, in milliseconds; default 120,000. */
    readonly setUpMs?: number
    /** Longest time until the guest that is left runs alone, in milliseconds; default 30,000. */
    readonly failOverMs?: number
  }
}

/** How it ended. */
export interface PairEnd {
  readonly end: 'alone' | 'yielded' | 'undecided'
  /** What was lost, and so what the end is about. */
  readonly because: PairEvent
  /** Who goes on, or was to. */
  readonly side: Side | undefined
  readonly checkpoints: number
  /** What the arbiter said, where it did not grant it. */
  readonly reason: string | undefined
}

const TIMES = { heartbeatMs: 200, silenceMs: 2000, stallMs: 10_000, setUpMs: 120_000, failOverMs: 30_000 }
const LOOK_MS = 20
/** A secondary that has not ended by then is stuck, and its guest stands. */
const END_MS = 1000

/**
 * Sets up a pair of QEMUs, watches it, and has the one that is left go on alone where the arbiter grants it. While `signal` is not aborted it
 * ends only with one of the ends; when it is, the pair replicates on without a watcher.
 *
 * @throws QemuError QEMU_PAIR, QEMU_FAILOVER; QmpError; the reason of `signal`
 */
export async function runPair(ports: PairPorts): Promise<PairEnd> {
  const pair = new Pair(ports)
  const end = await drive(pairTable, {
    start: 'starting',
    begin: 'begin',
    lost: 'both-lost', // never: nothing here throws that a link is lost
    perform: (effect) => pair.perform(effect),
    onMove: (from, event, to) => {
      pair.moved(from, event)
      ports.observe?.({ kind: 'move', from, event, to })
    },
    signal: ports.signal,
  })
  return pair.end(end as PairEnd['end'])
}

class Pair {
  readonly #ports: PairPorts
  readonly #times: typeof TIMES
  #setUp: SetUp | undefined
  #checkpoints = 0
  #because: PairEvent = 'begin'
  #side: Side | undefined
  #reason: string | undefined

  constructor(ports: PairPorts) {
    this.#ports = ports
    this.#times = { ...TIMES, ...ports.times }
  }

  moved(from: PairState, event: PairEvent): void {
    if (from === 'guarding') this.#because = event
  }

  end(end: PairEnd['end']): PairEnd {
    return { end, because: this.#because, side: this.#side, checkpoints: this.#checkpoints, reason: this.#reason }
  }

  perform(effect: PairEffect): Promise<PairEvent | undefined> {
    switch (effect) {
      case 'set-up':
        return this.#prepare()
      case 'watch':
        return this.#watch()
      default: {
        const [what, side] = effect.split(':') as ['claim' | 'fail-over' | 'stop' | 'end', Side]
        return { claim: () => this.#claim(side), 'fail-over': () => this.#failOver(side), stop: () => this.#stop(side), end: () => this.#endIt(side) }[what]()
      }
    }
  }

  async #prepare(): Promise<PairEvent> {
    const { monitors, plan, session, clock, signal } = this.#ports
    this.#setUp = await setUpPair({ monitors, plan, session, clock, signal, setUpMs: this.#times.setUpMs })
    return 'replicating'
  }

  #watch(): Promise<PairEvent> {
    const { monitors, clock, signal, observe } = this.#ports
    const checkpoint = (pausedMs: number): void => observe?.({ kind: 'checkpoint', number: ++this.#checkpoints, pausedMs })
    return watchPair({ monitors, clock, signal, times: this.#times, checkpoint })
  }

  async #claim(side: Side): Promise<PairEvent> {
    const { judge, observe, signal } = this.#ports
    this.#side = side
    const { answer, reason } = await judge(side, signal)
    if (signal.aborted) throw signal.reason
    this.#reason = reason
    observe?.({ kind: 'arbiter', side, answer, reason })
    return answer === 'granted' ? 'won' : answer
  }

  /** One that is stuck finds the commands later. A secondary gets a while, as it has to be gone before the primary is asked for. */
  async #endIt(side: Side): Promise<undefined> {
    const { monitors, clock } = this.#ports
    const over = new AbortController()
    const ended = Promise.all(['stop', 'quit'].map((command) => monitors[side].execute(command).catch(() => undefined)))
    if (side === 'secondary') await Promise.race([ended, monitors[side].gone, clock.sleep(END_MS, over.signal).catch(() => undefined)])
    over.abort()
  }

  async #stop(side: Side): Promise<undefined> {
    await this.#ports.monitors[side].execute('stop').catch(() => undefined)
  }

  /** Order as QEMU's documents have it: the primary's filters before the word, the secondary's behind it. */
  async #failOver(side: Side): Promise<PairEvent> {
    const { monitors, plan } = this.#ports
    const qmp = monitors[side]
    if (side === 'primary') await this.#setUp?.undo('primary')
    else if (plan.disks.length > 0) await qmp.execute('nbd-server-stop').catch(() => undefined)
    await qmp.execute('x-colo-lost-heartbeat')
    await this.#alone(side)
    if (side === 'secondary') await this.#setUp?.undo('secondary')
    return 'runs'
  }

  async #alone(side: Side): Promise<void> {
    const { monitors, clock } = this.#ports
    for (const until = clock.now() + this.#times.failOverMs; ; await clock.sleep(LOOK_MS)) {
      const [mode, status] = [await modeOf(monitors[side]), await statusOf(monitors[side])]
      if (mode === 'none' && status === 'running') return
      if (clock.now() > until) throw new QemuError('QEMU_FAILOVER', `the ${side} is ${status} in mode ${mode} after ${this.#times.failOverMs} ms`)
    }
  }
}
