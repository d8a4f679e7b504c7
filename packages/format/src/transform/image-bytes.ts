import { ByteReader } from '../bytes/byte-reader.ts'
import { sourceOfBytes, type ByteSource } from '../bytes/byte-source.ts'

/** An image whose bytes can be read anywhere and as often as wanted: a file, or bytes in memory. */
export interface ImageBytes {
  /** Bytes of the image. */
  readonly size: number
  /** A source that begins at `offset`; each has its own place. */
  sourceAt(offset: number): ByteSource
  /**
   * `length` bytes at `offset`, fewer where the image ends.
   *
   * @param into memory to read into, at least `length` long; what is returned is its beginning. Fresh memory when left out.
   */
  pread(offset: number, length: number, into?: Uint8Array): Uint8Array
}

/** A record's body, or another stretch of an image. */
export interface Place {
  /** Offset in the image. */
  readonly at: number
  /** Bytes. */
  readonly length: number
}

/** Bytes in memory as an image. */
export const imageOfBytes = (bytes: Uint8Array): ImageBytes => ({
  size: bytes.length,
  sourceAt: (offset) => sourceOfBytes(bytes.subarray(offset)),
  pread: (offset, length, into = new Uint8Array(length)) => {
    const part = bytes.subarray(offset, offset + length)
    into.set(part)
    return into.subarray(0, part.length)
  },
})

/** A reader over the whole image. */
export const readerOf = (image: ImageBytes): ByteReader => new ByteReader(image.sourceAt(0))

/** Bytes copied at once. */
export const COPY_BYTES = 1024 * 1024

/** The bytes of a place, piece by piece; a piece is valid until the next one is asked for. */
export function* bytesAt(image: ImageBytes, { at, length }: Place): Generator<Uint8Array, void, void> {
  const buffer = new Uint8Array(Math.min(length, COPY_BYTES))
  for (let done = 0; done < length; done += COPY_BYTES) {
    yield image.pread(at + done, Math.min(COPY_BYTES, length - done), buffer)
  }
}
