import type { Json } from '../bytes/field.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError, type Codec } from './codec.ts'
import { listOf } from './rows.ts'

const HIGH = 0x1_0000_0000

/** Bytes that are 64-bit frame numbers to the end. Frame numbers have at most 52 bits, so they are `number` here. */
export const pfnsCodec = (what: string): Codec<readonly number[]> => ({
  decode: (bytes) => decodePfns(what, bytes),
  encode: encodePfns,
  toJson: (pfns) => pfns,
  fromJson: pfnsFromJson,
})

function decodePfns(what: string, bytes: Uint8Array): readonly number[] {
  if (bytes.length % 8 !== 0) throw bodySizeError(what, 'a multiple of 8 bytes', bytes.length)
  const view = viewOf(bytes)
  const pfns: number[] = []
  for (let at = 0; at < bytes.length; at += 8) pfns.push(checked(view.getUint32(at + 4, true) * HIGH + view.getUint32(at, true)))
  return pfns
}

function encodePfns(pfns: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * pfns.length)
  const view = viewOf(bytes)
  let at = 0
  for (const pfn of pfns) {
    view.setUint32(at, checked(pfn) % HIGH, true)
    view.setUint32(at + 4, Math.floor(pfn / HIGH), true)
    at += 8
  }
  return bytes
}

function checked(pfn: number): number {
  if (Number.isSafeInteger(pfn) && pfn >= 0) return pfn
  throw new FormatError('FMT_VALUE', `a frame number below 2^53 wanted, ${pfn} found`, { hint: 'no machine has a frame of that number; the record is damaged' })
}

const pfnsFromJson = (json: Json | undefined): readonly number[] => listOf(json).map(pfnFromJson)

function pfnFromJson(json: Json): number {
  if (typeof json === 'number' && Number.isSafeInteger(json) && json >= 0) return json
  throw new FormatError('FMT_JSON', `a frame number wanted, ${JSON.stringify(json)} found`)
}
