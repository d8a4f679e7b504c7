import type { ByteReader } from '../bytes/byte-reader.ts'
import { HOLD_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { Body } from '../image/body.ts'
import type { LegacyGuest, LegacyWidth } from './chunk-types.ts'
import type { LegacyKind } from './detect.ts'
import { LegacyError } from './legacy-error.ts'

export interface LegacyOptions extends LegacyKind {
  /**
   * Size of the length field of compressed data: 32 bits, as Xen's converter reads it, or an unsigned long, as the format notes
   * say. Told from the first such chunk when left out: Xen begins it with a page sent whole, which follows the zeros of a 64-bit
   * length. Of no matter for 32-bit toolstacks.
   */
  readonly compressedSize?: 'u32' | 'ulong' | undefined
  /** Longest blob that is held in memory, in bytes. */
  readonly blobMax?: number | undefined
}

/** A place in a legacy stream, and what its beginning said of the rest. */
export class LegacyCursor {
  readonly reader: ByteReader
  readonly guest: LegacyGuest
  readonly width: LegacyWidth
  readonly #blobMax: number
  /** Bytes of the length field of compressed data, once it is known. */
  compressedSizeBytes: 4 | 8 | undefined
  /** Compression is on: batches come without contents. */
  compressing = false
  /** Bitmaps of online vCPUs; more than one add up. */
  readonly online: Uint8Array[] = []
  /** Bytes of a vCPU's basic context, PV. */
  basicSize = 0
  /** Extended vCPU blobs are in the tail, PV. */
  hasExtended = false
  /** Bytes of an xsave area with its 16-byte head, 0 for none, PV. */
  xsaveSize = 0

  constructor(reader: ByteReader, guest: LegacyGuest, width: LegacyWidth, { compressedSize, blobMax = HOLD_MAX }: LegacyOptions) {
    this.reader = reader
    this.guest = guest
    this.width = width
    this.#blobMax = blobMax
    if (compressedSize !== undefined || width === 32) this.compressedSizeBytes = compressedSize === 'ulong' && width === 64 ? 8 : 4
  }

  get offset(): number {
    return this.reader.offset
  }

  /** The next bytes to be read as numbers; valid until the next call. */
  async view(size: number): Promise<DataView> {
    return viewOf(await this.reader.take(size))
  }

  async u32(): Promise<number> {
    return (await this.view(4)).getUint32(0, true)
  }

  async s32(): Promise<number> {
    return (await this.view(4)).getInt32(0, true)
  }

  async ulong(): Promise<bigint> {
    const view = await this.view(this.width / 8)
    return this.width === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true))
  }

  /** `count` unsigned longs, to be read by who wants them. */
  words(count: number): Body {
    return new Body(this.reader, count * (this.width / 8))
  }

  /** A blob in memory of its own. */
  async blob(size: number): Promise<Uint8Array> {
    const offset = this.offset
    const bytes = await this.reader.copy(Math.min(size, this.#blobMax))
    if (size > this.#blobMax) throw new LegacyError('LG_TOO_LONG', offset, `${size} bytes`)
    return bytes
  }

  /** Everything up to the end of the stream. */
  async rest(): Promise<Uint8Array> {
    const offset = this.offset
    const bytes = new Uint8Array(await this.reader.upTo(this.#blobMax + 1))
    if (bytes.length > this.#blobMax) throw new LegacyError('LG_TOO_LONG', offset, `more than ${this.#blobMax} bytes`)
    return bytes
  }
}
