import type { Batch } from '../frame/batch.ts'
import { batchFront } from '../frame/batch.ts'
import { frameHead } from '../frame/frame-head.ts'
import { Adaptive, type BatchCost } from '../pack/adaptive.ts'
import type { Session } from '../session.ts'
import { Pace } from './pace.ts'

/** Bytes around every payload on the wire. */
const AROUND = frameHead.size + batchFront.size

/** The way of batches to the peer: one is sent while the next is made, and no more are under way than peer and bandwidth allow. */
export class BatchWay {
  readonly adaptive = new Adaptive()
  readonly #session: Session
  readonly #pace: Pace
  #offset: number
  #wireBytes = 0
  #sending: Promise<void> = Promise.resolve()
  /** Batches that may have to be sent again. */
  readonly #out: { readonly number: number; readonly bytes: Uint8Array }[] = []

  constructor(session: Session) {
    this.#session = session
    this.#pace = new Pace(session.clock, session.limits.bandwidthBytes)
    this.#offset = session.flow.sent
  }

  /** Place in the stream of the next batch. */
  get offset(): number {
    return this.#offset
  }

  /** Bytes that went out. */
  get wireBytes(): number {
    return this.#wireBytes
  }

  /** Memory for a batch, as long as the next one may be at most. */
  memory(): Uint8Array {
    return this.#session.buffers.take(this.#session.flow.batchBytes)
  }

  /**
   * Sends a batch, whose memory is given back once the peer has it. The one before it is on its way when this is done.
   *
   * @param cost what making it took. @throws as `Session.send`
   */
  async send(batch: Batch, cost: BatchCost): Promise<void> {
    const { clock } = this.#session
    const start = clock.now()
    await this.#admitted(batch.length)
    const wire = AROUND + batch.payload.length
    await this.#pace.take(wire, this.#session.signal)
    await this.#sending // one batch is on its way while the next is filled
    this.#sending = this.#session.send('data', batch, batch.length)
    this.#sending.catch(() => undefined) // whoever waits for it next is told
    this.#out.push({ number: this.#session.sentFrames.last, bytes: batch.payload })
    this.adaptive.note({ ...cost, ms: cost.ms + clock.now() - start })
    this.#wireBytes += wire
    this.#offset += batch.length
    this.#collect()
  }

  /** Waits until what was sent is on its way. @throws as `Session.send` */
  settled(): Promise<void> {
    return this.#sending
  }

  /** Memory of batches that the peer has can be used again. */
  #collect(): void {
    const { first } = this.#session.sentFrames
    for (let oldest = this.#out[0]; oldest !== undefined && oldest.number < first; oldest = this.#out[0]) {
      this.#session.buffers.give(oldest.bytes)
      this.#out.shift()
    }
  }

  async #admitted(bytes: number): Promise<void> {
    const { changed, flow } = this.#session
    await changed.until(() => {
      if (this.#session.failure !== undefined) throw this.#session.failure
      return flow.admits(bytes, this.#session.sentFrames.bytes)
    })
  }
}
