import { imageOfBytes, type ImageBytes } from '../../src/transform/image-bytes.ts'
import { build, flat, type Layout, type Part } from '../rules/image-builder.ts'

/** An image of a layout or of loose parts. */
export const imageOf = (layout: Layout | readonly Part[]): ImageBytes => imageOfBytes(bytesOf(layout))

export const bytesOf = (layout: Layout | readonly Part[]): Uint8Array => build(Array.isArray(layout) ? { parts: layout as readonly Part[] } : (layout as Layout)).bytes

/** All pieces in one. They are copied as they come, since a piece is valid only until the next one. */
export async function gathered(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(new Uint8Array(piece))
  const out = new Uint8Array(parts.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Offset of a named part of a layout. */
export function offsetOf(layout: Layout, name: string): number {
  const names = Object.keys(layout)
  const before = names.slice(0, names.indexOf(name)).map((key) => [key, layout[key]] as const)
  return build(Object.fromEntries(before) as Layout).bytes.length
}

export { flat }
