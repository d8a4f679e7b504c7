import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { convertLegacy, type ConvertLegacyOptions } from '../../src/legacy/convert.ts'
import type { LegacyOptions } from '../../src/legacy/cursor.ts'
import { encodeLegacy } from '../../src/legacy/encode.ts'
import type { LegacyStep } from '../../src/legacy/steps.ts'
import { walkLegacy } from '../../src/legacy/walk.ts'

export const readerOf = (bytes: Uint8Array): ByteReader => new ByteReader(sourceOfBytes(bytes))

/** A reader that gets its bytes in pieces of these sizes, over and over. */
export function choppedReader(bytes: Uint8Array, sizes: readonly number[]): ByteReader {
  const chunks: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return new ByteReader(sourceOfChunks(chunks))
}

export async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece)
  return new Uint8Array(Buffer.concat(parts))
}

export const reencoded = (bytes: Uint8Array, options: LegacyOptions = {}, reader = readerOf(bytes)): Promise<Uint8Array> =>
  gathered(encodeLegacy(walkLegacy(reader, options)))

export const converted = (bytes: Uint8Array, options: ConvertLegacyOptions): Promise<Uint8Array> => gathered(convertLegacy(readerOf(bytes), options))

/** The steps without their long contents. */
export async function stepsOf(bytes: Uint8Array, options: LegacyOptions = {}): Promise<LegacyStep[]> {
  const steps: LegacyStep[] = []
  for await (const step of walkLegacy(readerOf(bytes), options)) steps.push(step)
  return steps
}

/** Bytes, text as bytes, or little-endian numbers: `w` of 32 bits, `q` of 64. */
export type Part = readonly ['w', ...number[]] | readonly ['q', ...(number | bigint)[]] | string | Uint8Array

/** The parts in a row. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => {
        if (typeof part === 'string') return Buffer.from(part, 'latin1')
        if (part instanceof Uint8Array) return part
        const [form, ...values] = part
        const view = new DataView(new ArrayBuffer(values.length * (form === 'q' ? 8 : 4)))
        values.forEach((value, i) => (form === 'q' ? view.setBigUint64(8 * i, BigInt(value), true) : view.setUint32(4 * i, Number(value), true)))
        return new Uint8Array(view.buffer)
      }),
    ),
  )
}
