import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'
import type { Qmp } from '@xen-replication/qmp'
import { statusOf, type Monitors } from './set-up.ts'
import type { PairEvent } from './table.ts'

export interface WatchTimes {
  /** From one question to the next, in milliseconds. */
  readonly heartbeatMs: number
  /** A side that has not answered for so long is lost, in milliseconds. */
  readonly silenceMs: number
  /** A guest that has stood for a checkpoint for so long stands for nobody, in milliseconds. */
  readonly stallMs: number
}

export interface WatchPorts {
  readonly monitors: Monitors
  readonly clock: Clock
  readonly signal: AbortSignalLike
  readonly times: WatchTimes
  /** A checkpoint is done: the primary's guest runs again. `pausedMs`: since it stood, as far as its events tell. */
  readonly checkpoint: (pausedMs: number) => void
}

/** Watches a pair until something is wrong with it. QEMU itself waits for ever. @throws the reason of `signal` */
export async function watchPair({ monitors, clock, signal, times, checkpoint }: WatchPorts): Promise<PairEvent> {
  const over = new AbortController()
  const primary = new Side(monitors.primary, clock, checkpoint)
  const secondary = new Side(monitors.secondary, clock, () => undefined)
  const beats = [primary, secondary].map((side) => side.beat(times.heartbeatMs, over.signal))
  try {
    for (;;) {
      if (signal.aborted) throw signal.reason
      const event = judged(primary, secondary, clock.now(), times)
      if (event !== undefined) return event
      await clock.sleep(times.heartbeatMs / 2, signal).catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error
      })
    }
  } finally {
    over.abort()
    await Promise.all(beats)
    primary.close()
    secondary.close()
  }
}

/** What is wrong, if anything. A side that is gone explains a link that is; so the link is judged a while later. */
function judged(primary: Side, secondary: Side, now: number, { silenceMs, stallMs }: WatchTimes): PairEvent | undefined {
  const [p, s] = [primary.isLost(now, silenceMs), secondary.isLost(now, silenceMs)]
  if (p || s) return p && s ? 'both-lost' : p ? 'primary-lost' : 'secondary-lost'
  const exits = [primary, secondary].some(({ exitAt }) => exitAt !== undefined && now - exitAt > silenceMs)
  return exits || [primary, secondary].some((side) => side.stoodFor(now) > stallMs) ? 'link-lost' : undefined
}

class Side {
  readonly #qmp: Qmp
  readonly #clock: Clock
  readonly #close: () => void
  #heardAt: number
  #isGone = false
  #standsSince: number | undefined
  exitAt: number | undefined

  constructor(qmp: Qmp, clock: Clock, checkpoint: (pausedMs: number) => void) {
    this.#qmp = qmp
    this.#clock = clock
    this.#heardAt = clock.now()
    void qmp.gone.then(() => (this.#isGone = true))
    this.#close = qmp.onEvent(({ name }) => {
      if (name === 'COLO_EXIT') this.exitAt ??= clock.now()
      if (name === 'STOP') this.#standsSince ??= clock.now()
      if (name !== 'RESUME') return
      if (this.#standsSince !== undefined) checkpoint(clock.now() - this.#standsSince)
      this.#standsSince = undefined
    })
  }

  close(): void {
    this.#close()
  }

  isLost(now: number, silenceMs: number): boolean {
    return this.#isGone || now - this.#heardAt > silenceMs
  }

  /** Milliseconds. */
  stoodFor(now: number): number {
    return this.#standsSince === undefined ? 0 : now - this.#standsSince
  }

  /** Asks again and again. */
  async beat(everyMs: number, signal: AbortSignal): Promise<void> {
    const over = aborted(signal)
    while (!signal.aborted && !this.#isGone) {
      const status = await Promise.race([statusOf(this.#qmp).catch(() => undefined), over])
      if (status !== undefined) this.#heard(status)
      await this.#clock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  #heard(status: string): void {
    this.#heardAt = this.#clock.now()
    if (status !== 'colo') this.#standsSince = undefined
    else this.#standsSince ??= this.#heardAt
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  return undefined
}
