import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { throwIfInterrupted } from '../cli-error.ts'

/** Longest stretch of synchronous reading before signals and timers get their turn. */
const STRETCH_MS = 50

/** Keeps synchronous reading from holding up the process. */
export class Pace {
  readonly #signal: AbortSignal
  #until = performance.now() + STRETCH_MS

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** It is time to `rest()`. */
  get due(): boolean {
    return performance.now() >= this.#until
  }

  /**
   * Lets everything else run.
   *
   * @throws CliError CLI_INTERRUPTED
   */
  async rest(): Promise<void> {
    await setImmediate()
    throwIfInterrupted(this.#signal)
    this.#until = performance.now() + STRETCH_MS
  }
}
