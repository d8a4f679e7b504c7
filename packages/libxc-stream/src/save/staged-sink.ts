import type { ByteSink } from '@xen-replication/format'

export interface StagedSinkOptions {
  /** Size of the area in bytes; all of it is taken at once and used again for every checkpoint. */
  readonly bytes: number
  /** Told each time that something did not fit and had to be sent while the guest stands. */
  readonly spilled?: ((bytes: number) => void) | undefined
}

/**
 * Keeps what is written until `release()`, so that a guest need only stand while its pages are copied, and runs on while they
 * are sent: write a checkpoint to this sink, resume the guest, release. What does not fit is sent at once, in the right order.
 */
export class StagedSink implements ByteSink {
  readonly #sink: ByteSink
  readonly #area: Uint8Array
  readonly #spilled: (bytes: number) => void
  #held = 0
  #sending: Promise<void> = Promise.resolve()

  /** @param sink where everything ends up. */
  constructor(sink: ByteSink, { bytes, spilled = () => undefined }: StagedSinkOptions) {
    this.#sink = sink
    this.#area = new Uint8Array(bytes)
    this.#area.fill(1) // has the system give the memory now and not while a guest stands
    this.#spilled = spilled
  }

  /** Bytes that wait for `release()`. */
  get held(): number {
    return this.#held
  }

  /** Resolves at once while there is room and nothing is being sent. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    await this.#sending // the area is still in use
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (length > this.#area.length - this.#held) await this.#spill(length)
    if (length > this.#area.length) await this.#sink.write(parts)
    else for (const part of parts) this.#keep(part)
  }

  /** Sends what waits. The guest may run. @throws what the sink throws; so does every call from then on. */
  async release(): Promise<void> {
    const held = this.#area.subarray(0, this.#held)
    this.#held = 0
    if (held.length > 0) this.#sending = this.#sink.write([held])
    await this.#sending
  }

  #keep(part: Uint8Array): void {
    this.#area.set(part, this.#held)
    this.#held += part.length
  }

  async #spill(length: number): Promise<void> {
    this.#spilled(this.#held + (length > this.#area.length ? length : 0))
    await this.release()
  }
}
