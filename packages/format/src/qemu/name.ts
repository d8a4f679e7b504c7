import type { ByteReader } from '../bytes/byte-reader.ts'
import { FormatError } from '../format-error.ts'
import { bytesOfText, textOfBytes } from '../frame/latin1.ts'

/** A counted string: one byte of length, then as many of text. */
export async function readName(reader: ByteReader): Promise<string> {
  const [length = 0] = await reader.take(1)
  return textOfBytes(await reader.take(length))
}

/** @throws FormatError FMT_VALUE for a text that is longer than 255 bytes */
export function encodeName(name: string): Uint8Array {
  const text = bytesOfText(name)
  if (text === undefined || text.length > 255) throw new FormatError('FMT_VALUE', `'${name.slice(0, 40)}' does not fit into a counted string`)
  return Uint8Array.of(text.length, ...text)
}

/** Whether a name may be one that QEMU gave: sections that begin elsewhere are told from bytes within a body by it. */
export const isPlausibleName = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes.every((byte) => byte > 0x20 && byte < 0x7f)
