import { FormatError } from '../format-error.ts'
import type { ByteSource } from './byte-source.ts'
import { andThen, isLater, type Soon } from './soon.ts'

const NOTHING = new Uint8Array(0)
const FIRST_PIECE = 64 * 1024
/** For a look at what is looked at all the time: the entries of a PAGE_DATA record of the usual 1024 pages. */
const PEEK_BYTES = 8200

/**
 * Pulls bytes in order and counts them. It asks its source for what is needed and no more, so a stream
 * inside a stream leaves nothing half-read.
 *
 * What the methods return is valid until the next call of any of them; `copy()` keeps longer.
 */
export class ByteReader {
  readonly #source: ByteSource
  #offset: number
  /** What was looked at and not consumed yet: a part of `#store`. */
  #peeked: Uint8Array = NOTHING
  #store = NOTHING

  /** @param offset what to call the first byte, when the source does not start at the start of the stream. */
  constructor(source: ByteSource, offset = 0) {
    this.#source = source
    this.#offset = offset
  }

  /** Bytes consumed so far; the next byte's place in the stream. */
  get offset(): number {
    return this.#offset
  }

  /** The next 1 to `max` bytes as they happen to lie, or undefined at the end. */
  some(max: number): Soon<Uint8Array | undefined> {
    return andThen(this.#peeked.length > 0 ? this.#fromPeeked(max) : this.#source.read(max), (bytes) => {
      if (bytes !== undefined) this.#offset += bytes.length
      return bytes
    })
  }

  /** `size` bytes, or fewer when the stream ends before. Memory grows with the bytes that came, not with `size`. */
  upTo(size: number): Soon<Uint8Array> {
    if (size === 0) return NOTHING
    return andThen(this.some(size), (first = NOTHING) => (first.length === size || first.length === 0 ? first : this.#gather(first, size)))
  }

  /**
   * Exactly `size` bytes.
   *
   * @throws FormatError FMT_TRUNCATED with the offset at which the bytes ran out.
   */
  async take(size: number): Promise<Uint8Array> {
    const bytes = await this.upTo(size)
    if (bytes.length < size) throw truncated(size, bytes.length, this.#offset)
    return bytes
  }

  /** As `take()`, in memory of the caller's own. */
  async copy(size: number): Promise<Uint8Array> {
    return new Uint8Array(await this.take(size)) // not slice(): of a Node Buffer that is no copy
  }

  /** The next bytes without consuming them: `size` of them, or fewer when the stream ends before. */
  peek(size: number): Soon<Uint8Array> {
    while (this.#peeked.length < size) {
      const bytes = this.#source.read(size - this.#peeked.length)
      if (isLater(bytes)) return bytes.then((more) => (this.#append(more) ? this.peek(size) : this.#peeked))
      if (!this.#append(bytes)) break
    }
    return this.#peeked.subarray(0, size)
  }

  /** Passes over `size` bytes, by seeking where the source can. @returns how many there were. */
  skip(size: number): Soon<number> {
    const there = this.#peeked.length === 0 ? this.#source.skip?.(size) : undefined
    if (there === undefined) return this.#skipAll(size)
    this.#offset += there
    return there
  }

  async #skipAll(size: number): Promise<number> {
    let left = size
    while (left > 0) {
      const seek = this.#peeked.length === 0 ? this.#source.skip?.(left) : undefined
      if (seek !== undefined) {
        this.#offset += seek
        return size - left + seek
      }
      const bytes = await this.some(left)
      if (bytes === undefined) break
      left -= bytes.length
    }
    return size - left
  }

  #fromPeeked(max: number): Uint8Array {
    const bytes = this.#peeked.subarray(0, max)
    this.#peeked = this.#peeked.subarray(bytes.length)
    return bytes
  }

  /** Memory grows with the bytes that came, to twice as much at most. @returns false at the end of the stream. */
  #append(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) return false
    const before = this.#peeked
    const length = before.length + bytes.length
    if (before.byteOffset + length > this.#store.length) {
      if (length > this.#store.length) this.#store = new Uint8Array(Math.max(PEEK_BYTES, 2 * length))
      this.#store.set(before)
      this.#peeked = this.#store.subarray(0, before.length)
    }
    this.#store.set(bytes, this.#peeked.byteOffset + before.length)
    this.#peeked = this.#store.subarray(this.#peeked.byteOffset, this.#peeked.byteOffset + length)
    return true
  }

  async #gather(first: Uint8Array, size: number): Promise<Uint8Array> {
    let out = new Uint8Array(Math.min(size, Math.max(FIRST_PIECE, 2 * first.length)))
    out.set(first)
    let got = first.length
    while (got < size) {
      if (got === out.length) out = grown(out, Math.min(size, 2 * got))
      const piece = await this.some(out.length - got)
      if (piece === undefined) break
      out.set(piece, got)
      got += piece.length
    }
    return out.subarray(0, got)
  }
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size)
  out.set(bytes)
  return out
}

/** The error for a stream that ended early. */
export function truncated(wanted: number, got: number, offset: number): FormatError {
  return new FormatError('FMT_TRUNCATED', `the stream ended: ${wanted} bytes wanted, ${got} came`, {
    offset,
    hint: 'the sender stopped early or the copy is incomplete; look at the sender’s log, compare sizes',
  })
}
