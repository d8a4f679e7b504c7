import { isXrError, type XrError } from '@xen-replication/errors'
import type { ByteReader, RuleCode, Soon } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { RestoreError, refused } from './restore-error.ts'

export interface FeedOptions {
  readonly signal?: AbortSignalLike | undefined
  /** Index of the first record. */
  readonly records?: number | undefined
}

/** What a stream that ends too early is said to have broken. */
export interface Cut {
  readonly code: RuleCode
  readonly record?: number | undefined
}

/**
 * The stream that both layers of a restore read in turns: it asks for what is needed and not a byte more, counts records, and
 * remembers whether the other end was lost, which is no fault of the bytes that came.
 */
export class StreamFeed {
  readonly #reader: ByteReader
  readonly #signal: AbortSignalLike | undefined
  #lost: XrError | undefined
  /** Index of the next record. */
  records: number

  constructor(reader: ByteReader, { signal, records = 0 }: FeedOptions = {}) {
    this.#reader = reader
    this.#signal = signal
    this.records = records
  }

  /** Place of the next byte in the stream. */
  get offset(): number {
    return this.#reader.offset
  }

  /** Why no more comes; undefined while more may come. */
  get lost(): XrError | undefined {
    return this.#lost
  }

  /** `size` bytes, valid until the next call. @throws RestoreError of the code given when the stream ends before. */
  async exact(size: number, cut: Cut): Promise<Uint8Array> {
    const bytes = await this.upTo(size)
    if (bytes.length < size) throw this.#cut(cut, `${size} bytes wanted, ${bytes.length} came`)
    return bytes
  }

  /** As `exact()`, in memory of the caller's own. */
  async copy(size: number, cut: Cut): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.exact(size, cut)) // not slice(): of a Node Buffer that is no copy
  }

  /** The next 1 to `max` bytes as they happen to lie; valid until the next call. */
  async some(max: number, cut: Cut): Promise<Uint8Array> {
    const bytes = await this.#guard(() => this.#reader.some(max))
    if (bytes === undefined) throw this.#cut(cut, `${max} bytes more wanted`)
    return bytes
  }

  /** `size` bytes, or fewer when the stream ends. */
  upTo(size: number): Promise<Uint8Array> {
    return this.#guard(() => this.#reader.upTo(size))
  }

  /** Reads `size` bytes and forgets them. */
  async skip(size: number, cut: Cut): Promise<void> {
    const skipped = await this.#guard(() => this.#reader.skip(size))
    if (skipped < size) throw this.#cut(cut, `${size} bytes wanted, ${skipped} came`)
  }

  /** Notes that the stream ended, and why that is too early. @returns what to throw. */
  ended(cut: Cut): XrError {
    return this.#cut(cut)
  }

  #cut({ code, record }: Cut, detail?: string): XrError {
    this.#lost = refused(code, { offset: this.offset, record }, detail)
    return this.#lost
  }

  /** @throws RestoreError RESTORE_ABORTED, RESTORE_READ; what the source throws when that has a code. */
  async #guard<T>(reading: () => Soon<T>): Promise<T> {
    try {
      const read = await reading()
      if (this.#signal?.aborted !== true) return read
    } catch (error) {
      if (this.#signal?.aborted !== true) throw this.#fail(error)
    }
    throw new RestoreError('RESTORE_ABORTED', 'the restore was called off', { offset: this.offset, cause: this.#signal?.reason })
  }

  #fail(cause: unknown): XrError {
    this.#lost = isXrError(cause)
      ? cause
      : new RestoreError('RESTORE_READ', 'the source of the stream failed', { offset: this.offset, cause, hint: 'look at the connection and at the sender’s log' })
    return this.#lost
  }
}
