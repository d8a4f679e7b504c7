import { viewOf } from '../bytes/struct.ts'
import { hasContent } from '../libxc/page-data.ts'
import type { LegacyWidth } from './chunk-types.ts'

/** The entry that savers wrote for pfns they could not map; it means nothing. */
const FILLER = 0xf0000000

/** The entries of one batch: a page type in bits 31 to 28, a pfn below. */
export interface LegacyEntries {
  readonly count: number
  /** As they stand in the stream, in memory of their own. */
  readonly bytes: Uint8Array
  /** pfn of entry `i`, below 2^28. */
  pfn(i: number): number
  /** Type nibble of entry `i`. */
  type(i: number): number
  /** Bits 63 to 32 of entry `i`, which should be zero. */
  high(i: number): number
  /** Entry `i` is filler, which a conversion leaves out. */
  isFiller(i: number): boolean
  /** Entries whose pages follow. */
  readonly contents: number
}

/** @param bytes a whole number of words of `width` bits; kept. */
export function legacyEntries(bytes: Uint8Array, width: LegacyWidth): LegacyEntries {
  const size = width / 8
  const view = viewOf(bytes)
  const low = (i: number): number => view.getUint32(i * size, true)
  const high = width === 32 ? () => 0 : (i: number): number => view.getUint32(i * size + 4, true)
  const count = bytes.length / size
  let contents = 0
  for (let i = 0; i < count; i++) if (hasContent(low(i) >>> 28)) contents++
  return {
    count,
    bytes,
    contents,
    pfn: (i) => low(i) & 0x0fffffff,
    type: (i) => low(i) >>> 28,
    high,
    isFiller: (i) => low(i) === FILLER && high(i) === 0,
  }
}
