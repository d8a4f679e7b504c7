import type { ByteSink } from '@xen-replication/format'
import { leavesOutZeros } from '../hello/agreement.ts'
import { packBatch } from '../pack/pack-batch.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { BatchWay } from './batch-way.ts'
import { StreamDigest } from './stream-digest.ts'

/**
 * The stream of a session, to be written into. Bytes are copied into batches once; a batch goes out when it is full, and `write` waits when the peer or
 * the bandwidth allows no more.
 */
export class StreamSink implements ByteSink {
  readonly #session: Session
  readonly #digest: StreamDigest | undefined
  readonly #way: BatchWay
  #batch: Uint8Array
  #fill = 0

  /** @param digest of the bytes that were sent before, in a session that goes on; `none` for a stream that never ends. */
  constructor(session: Session, digest: StreamDigest | 'none' = new StreamDigest(session.agreement.key), way = new BatchWay(session)) {
    this.#session = session
    this.#digest = digest === 'none' ? undefined : digest
    this.#way = way
    this.#batch = way.memory()
  }

  /** Bytes of the stream that were written. */
  get bytes(): number {
    return this.#way.offset + this.#fill
  }

  /** Bytes that went out for them. */
  get wireBytes(): number {
    return this.#way.wireBytes
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
    await this.#way.settled()
  }

  /** Sends the batch as it is now; the one before it is on its way when this is done. */
  async #launch(): Promise<void> {
    const bytes = this.#batch.subarray(0, this.#fill)
    const { agreement, clock, buffers } = this.#session
    this.#digest?.update(bytes)
    const memory = (size: number): Uint8Array => buffers.take(size)
    const { batch, cost } = await packBatch(bytes, this.#way.offset, { zeros: leavesOutZeros(agreement), compressor: agreement.compressor, memory }, this.#way.adaptive, clock)
    await this.#way.send(batch, cost)
    if (batch.payload.buffer !== bytes.buffer) buffers.give(bytes)
    this.#fill = 0
    this.#batch = this.#way.memory()
  }

  /** Sends the rest, the length and the digest. @throws as `Session.send`; SessionError SESSION_OPTION for a stream that never ends */
  async end(): Promise<void> {
    if (this.#digest === undefined) throw new SessionError('SESSION_OPTION', 'the stream has no digest to end with', { hint: 'report this' })
    await this.flush()
    await this.#session.send('end', { bytes: this.#way.offset, digest: this.#digest.digest() })
  }
}
