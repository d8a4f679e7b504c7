import { joined } from '../../src/bytes/joined.ts'
import { imageOfBytes, type ImageBytes } from '../../src/transform/image-bytes.ts'
import { pageData, type Entry, type Layout, type Part } from '../rules/image-builder.ts'

/** An image of a layout or of loose parts. */
export const imageOf = (layout: Layout | readonly Part[]): ImageBytes => imageOfBytes(bytesOf(layout))

export const bytesOf = (layout: Layout | readonly Part[]): Uint8Array => joined(...Object.values(layout).flat().map(({ bytes }: Part) => bytes))

/** All pieces in one. They are copied as they come, since a piece is valid only until the next one. */
export async function gathered(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(new Uint8Array(piece))
  return joined(...parts)
}

/** Offset of a named part of a layout. */
export function offsetOf(layout: Layout, name: string): number {
  const names = Object.keys(layout)
  const before = names.slice(0, names.indexOf(name)).map((key) => [key, layout[key]] as const)
  return bytesOf(Object.fromEntries(before) as Layout).length
}

/** PAGE_DATA of pages each filled with one byte; for many pages. */
export function filledPages(entries: readonly Entry[], fills: readonly number[]): Part {
  const front = pageData(entries).bytes
  const bytes = new Uint8Array(front.length + 4096 * fills.length)
  bytes.set(front)
  fills.forEach((fill, i) => bytes.fill(fill, front.length + 4096 * i, front.length + 4096 * (i + 1)))
  new DataView(bytes.buffer).setUint32(4, bytes.length - 8, true)
  return { bytes, isRecord: true }
}
