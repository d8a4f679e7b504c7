import type { ByteReader } from '../bytes/byte-reader.ts'
import { andThen, type Soon } from '../bytes/soon.ts'

/**
 * A record's body, read by whoever wants it, as far as it is wanted; the walk passes over the rest. Its
 * methods do not fail at the end of the stream: they give what there is, and `cut` tells.
 */
export class Body {
  readonly #reader: ByteReader
  readonly #end: number
  #held: Uint8Array | undefined
  #cut = false
  /** Bytes that the record's head promises. */
  readonly length: number
  /** Offset of the first body byte in the stream. */
  readonly offset: number

  constructor(reader: ByteReader, length: number) {
    this.#reader = reader
    this.length = length
    this.offset = reader.offset
    this.#end = reader.offset + length
  }

  /** Bytes not consumed yet. */
  get left(): number {
    return this.#end - this.#reader.offset
  }

  /** The stream ended within this body. */
  get cut(): boolean {
    return this.#cut
  }

  /** Up to `max` of the next bytes, at least one; undefined at the body's end. Valid until the next call. */
  async some(max: number): Promise<Uint8Array | undefined> {
    if (this.left === 0 || this.#cut) return undefined
    const bytes = await this.#reader.some(Math.min(max, this.left))
    this.#cut = bytes === undefined
    return bytes
  }

  /** The next `size` bytes, fewer where the body or the stream ends before. Valid until the next call. */
  upTo(size: number): Soon<Uint8Array> {
    const wanted = Math.min(size, this.left)
    return andThen(this.#reader.upTo(wanted), (bytes) => {
      this.#cut ||= bytes.length < wanted
      return bytes
    })
  }

  /** The first bytes of a body nobody has touched yet, without consuming them. */
  peek(size: number): Soon<Uint8Array> {
    return this.#reader.peek(Math.min(size, this.left))
  }

  /** Passes over `size` bytes, to the body's end at most. */
  skip(size: number = this.left): Soon<void> {
    const wanted = Math.min(size, this.left)
    return andThen(this.#reader.skip(wanted), (there) => {
      this.#cut ||= there < wanted
    })
  }

  /**
   * The whole body, in memory of its own and kept for the next who asks. For a body nobody has touched yet.
   * Shorter than `length` when the stream ends before.
   */
  async all(): Promise<Uint8Array> {
    this.#held ??= new Uint8Array(await this.upTo(this.length)) // not slice(): of a Node Buffer that is no copy
    return this.#held
  }
}
