import { ByteReader, encodeRecord, sourceOfBytes, XC, type ByteSource } from '@xen-replication/format'
import { StreamFeed } from '../../src/restore/stream-feed.ts'

export const join = (...parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => (out.set(part, at), at + part.length), 0)
  return out
}
export const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
export const longs = (...values: readonly (bigint | number)[]): Uint8Array => new Uint8Array(BigUint64Array.from(values, BigInt).buffer)
export const page = (fill: number): Uint8Array => new Uint8Array(4096).fill(fill)

/** Headers of an image. */
export const start = ({ type = 2, version = 3 } = {}): Uint8Array =>
  join(longs(-1n & 0xffff_ffff_ffff_ffffn), Uint8Array.of(0x58, 0x45, 0x4e, 0x46, 0, 0, 0, version, 0, 0, 0, 0, 0, 0, 0, 0), words(type, 12, 4, 17))

/** [pfn, type, content] */
export type Page = readonly [pfn: number, type: number, content?: Uint8Array]
export const pageData = (...pages: readonly Page[]): Uint8Array =>
  encodeRecord(XC.PAGE_DATA, join(words(pages.length, 0), longs(...pages.map(([pfn, type]) => (BigInt(type) << 60n) | BigInt(pfn))), ...pages.flatMap(([, , content]) => content ?? [])))
export const ordinary = (pfn: number, fill = pfn & 0xff): Page => [pfn, 0, page(fill)]

export const staticEnd = encodeRecord(XC.STATIC_DATA_END, new Uint8Array(0))
export const checkpoint = encodeRecord(XC.CHECKPOINT, new Uint8Array(0))
export const end = encodeRecord(XC.END, new Uint8Array(0))
export const context = encodeRecord(XC.HVM_CONTEXT, Uint8Array.of(1, 2, 3))
export const params = (...pairs: readonly (readonly [index: number, value: number])[]): Uint8Array =>
  encodeRecord(XC.HVM_PARAMS, join(words(pairs.length, 0), longs(...pairs.flat())))

export const readerOf = (...parts: readonly Uint8Array[]): ByteReader => new ByteReader(sourceOfBytes(join(...parts)))
export const feedOf = (...parts: readonly Uint8Array[]): StreamFeed => new StreamFeed(readerOf(...parts))

/** Gives the bytes, then fails as a connection does. */
export function failingSource(bytes: Uint8Array, error: Error): ByteSource {
  const inner = sourceOfBytes(bytes)
  return {
    read: (max) => inner.read(max) ?? Promise.reject(error),
  }
}

/** Gives at most `size` bytes at a time. */
export function dripping(bytes: Uint8Array, size: number): ByteReader {
  const inner = sourceOfBytes(bytes)
  return new ByteReader({ read: (max) => inner.read(Math.min(max, size)) })
}
