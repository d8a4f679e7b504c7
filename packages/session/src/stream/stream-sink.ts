import type { ByteSink } from '@xen-replication/format'
import { batchFront } from '../frame/batch.ts'
import { frameHead } from '../frame/frame-head.ts'
import { leavesOutZeros } from '../hello/agreement.ts'
import { Adaptive } from '../pack/adaptive.ts'
import { packBatch } from '../pack/pack-batch.ts'
import type { Session } from '../session.ts'
import { Pace } from './pace.ts'
import { StreamDigest } from './stream-digest.ts'

/** Bytes around every payload on the wire. */
const AROUND = frameHead.size + batchFront.size

/**
 * The stream of a session, to be written into. Bytes are copied into batches once; a batch goes out when it is full, and `write` waits when the peer or
 * the bandwidth allows no more.
 */
export class StreamSink implements ByteSink {
  readonly #session: Session
  readonly #digest: StreamDigest
  readonly #adaptive = new Adaptive()
  readonly #pace: Pace
  #batch: Uint8Array
  #fill = 0
  #offset: number
  #wireBytes = 0
  #sending: Promise<void> = Promise.resolve()
  /** Batches that may have to be sent again. */
  readonly #out: { readonly number: number; readonly bytes: Uint8Array }[] = []

  /** @param begun digest of the bytes that were sent before, in a session that goes on. */
  constructor(session: Session, begun = new StreamDigest(session.agreement.key)) {
    this.#session = session
    this.#digest = begun
    this.#pace = new Pace(session.clock, session.limits.bandwidthBytes)
    this.#offset = session.flow.sent
    this.#batch = session.buffers.take(session.flow.batchBytes)
  }

  /** Bytes of the stream that were written. */
  get bytes(): number {
    return this.#offset + this.#fill
  }

  /** Bytes that went out for them. */
  get wireBytes(): number {
    return this.#wireBytes
  }

  /** @throws as `Session.send` */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        const piece = part.subarray(at, at + this.#batch.length - this.#fill)
        this.#batch.set(piece, this.#fill)
        this.#fill += piece.length
        at += piece.length
        if (this.#fill === this.#batch.length) await this.#launch()
      }
    }
  }

  /** Sends what is still held. @throws as `Session.send` */
  async flush(): Promise<void> {
    if (this.#fill > 0) await this.#launch()
    await this.#sending
  }

  /** Sends the batch as it is now; the one before it is on its way when this is done. */
  async #launch(): Promise<void> {
    const bytes = this.#batch.subarray(0, this.#fill)
    const { agreement, clock } = this.#session
    this.#digest.update(bytes)
    const memory = (size: number): Uint8Array => this.#session.buffers.take(size)
    const { batch, cost } = await packBatch(bytes, this.#offset, { zeros: leavesOutZeros(agreement), compressor: agreement.compressor, memory }, this.#adaptive, clock)
    const start = clock.now()
    await this.#admitted(bytes.length)
    const wire = AROUND + batch.payload.length
    await this.#pace.take(wire, this.#session.signal)
    await this.#sending // one batch is on its way while the next is filled
    this.#sending = this.#session.send('data', batch, bytes.length)
    this.#sending.catch(() => undefined) // whoever waits for it next is told
    this.#out.push({ number: this.#session.sentFrames.last, bytes: batch.payload })
    if (batch.payload.buffer !== bytes.buffer) this.#session.buffers.give(bytes)
    this.#adaptive.note({ ...cost, ms: cost.ms + clock.now() - start })
    this.#wireBytes += wire
    this.#offset += bytes.length
    this.#fill = 0
    this.#collect()
    this.#batch = this.#session.buffers.take(this.#session.flow.batchBytes)
  }

  /** Sends the rest, the length and the digest. @throws as `Session.send` */
  async end(): Promise<void> {
    await this.flush()
    await this.#session.send('end', { bytes: this.#offset, digest: this.#digest.digest() })
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
