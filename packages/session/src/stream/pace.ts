import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'

/** What may go out at once after a pause, as time. */
const BURST_MS = 50

/** Keeps to a rate. @param bytesPerSecond 0: no limit. */
export class Pace {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  #freeAt = 0

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** Waits until so many bytes may go out. @throws AbortError when `signal` aborts first */
  async take(bytes: number, signal: AbortSignalLike): Promise<void> {
    if (this.#bytesPerMs === 0) return
    const now = this.#clock.now()
    this.#freeAt = Math.max(this.#freeAt, now - BURST_MS)
    const wait = this.#freeAt - now
    this.#freeAt += bytes / this.#bytesPerMs
    if (wait > 0) await this.#clock.sleep(wait, signal)
  }
}
