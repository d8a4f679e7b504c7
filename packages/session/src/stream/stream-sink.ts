import type { ByteSink } from '@xen-replication/format'
import { createHash, type Hash } from 'node:crypto'
import { batchFront } from '../frame/batch.ts'
import { frameHead } from '../frame/frame-head.ts'
import { leavesOutZeros } from '../hello/agreement.ts'
import { Adaptive } from '../pack/adaptive.ts'
import { packBatch } from '../pack/pack-batch.ts'
import type { Session } from '../session.ts'
import { Pace } from './pace.ts'

/** Bytes around every payload on the wire. */
const AROUND = frameHead.size + batchFront.size

/**
 * The stream of a session, to be written into. Bytes are copied into batches once; a batch goes out when it is full, and `write` waits when the peer or
 * the bandwidth allows no more.
 */
export class StreamSink implements ByteSink {
  readonly #session: Session
  readonly #hash: Hash
  readonly #adaptive = new Adaptive()
  readonly #pace: Pace
  #batch: Uint8Array
  #fill = 0
  #offset: number
  #wireBytes = 0

  /** @param begun digest of the bytes that were sent before, in a session that goes on. */
  constructor(session: Session, begun: Hash = createHash('sha256')) {
    this.#session = session
    this.#hash = begun
    this.#pace = new Pace(session.clock, session.limits.bandwidthBytes)
    this.#offset = session.flow.sent
    this.#batch = new Uint8Array(session.flow.batchBytes)
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
        if (this.#fill === this.#batch.length) await this.flush()
      }
    }
  }

  /** Sends what is still held. @throws as `Session.send` */
  async flush(): Promise<void> {
    if (this.#fill === 0) return
    const bytes = this.#batch.subarray(0, this.#fill)
    const { agreement, clock } = this.#session
    this.#hash.update(bytes)
    const { batch, cost } = await packBatch(bytes, this.#offset, { zeros: leavesOutZeros(agreement), compressor: agreement.compressor }, this.#adaptive, clock)
    const start = clock.now()
    await this.#admitted(bytes.length)
    const wire = AROUND + batch.payload.length
    await this.#pace.take(wire, this.#session.signal)
    await this.#session.send('data', batch, bytes.length)
    this.#adaptive.note({ ...cost, ms: cost.ms + clock.now() - start })
    this.#wireBytes += wire
    this.#offset += bytes.length
    this.#fill = 0
    this.#batch = new Uint8Array(this.#session.flow.batchBytes)
  }

  /** Sends the rest, the length and the digest. @throws as `Session.send` */
  async end(): Promise<void> {
    await this.flush()
    await this.#session.send('end', { bytes: this.#offset, digest: this.#hash.digest() })
  }

  async #admitted(bytes: number): Promise<void> {
    const { changed, flow } = this.#session
    await changed.until(() => {
      if (this.#session.failure !== undefined) throw this.#session.failure
      return flow.admits(bytes, this.#session.unacknowledged)
    })
  }
}
