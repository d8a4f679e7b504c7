/**
 * Where bytes come from. A source never gives more than it was asked for, so a reader that stops leaves
 * the next byte to whoever reads on.
 */
export interface ByteSource {
  /**
   * @param max most bytes wanted, at least 1.
   * @returns 1 to `max` bytes, valid until the next call; undefined at the end. A source that has them at hand
   *   answers at once, without a promise.
   */
  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /**
   * Passes over bytes without reading them; only a source that can seek has this.
   *
   * @returns how many were there to pass over: `count`, or fewer at the end.
   */
  skip?(count: number): number
}

/** A source over bytes in memory. */
export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  let at = 0
  const advance = (count: number): Uint8Array => bytes.subarray(at, (at = Math.min(at + count, bytes.length)))
  return {
    read: (max) => (at === bytes.length ? undefined : advance(max)),
    skip: (count) => advance(count).length,
  }
}

/** A source over chunks as they arrive; it holds one chunk at a time and asks for the next one when that is used up. */
export function sourceOfChunks(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): ByteSource {
  const each = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  let chunk = new Uint8Array(0)
  const part = (max: number): Uint8Array => {
    const bytes = chunk.subarray(0, max)
    chunk = chunk.subarray(bytes.length)
    return bytes
  }
  const refill = async (max: number): Promise<Uint8Array | undefined> => {
    while (chunk.length === 0) {
      const next = await each.next()
      if (next.done === true) return undefined
      chunk = next.value as Uint8Array<ArrayBuffer>
    }
    return part(max)
  }
  return { read: (max) => (chunk.length > 0 ? part(max) : refill(max)) }
}
