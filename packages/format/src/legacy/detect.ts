import { truncated, type ByteReader } from '../bytes/byte-reader.ts'
import { LEGACY_BATCH_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { CHUNK_MIN, type LegacyGuest, type LegacyWidth } from './chunk-types.ts'
import { LegacyError } from './legacy-error.ts'

/** What is known of a legacy stream from outside. What is left out is told from the stream. */
export interface LegacyKind {
  readonly guest?: LegacyGuest | undefined
  readonly width?: LegacyWidth | undefined
}

/** First bytes that `detectLegacy` looks at. */
const LOOK = 16

/**
 * Tells guest kind and toolstack width from the first bytes of a legacy stream.
 *
 * The upper half of a 64-bit guest size is zero. A PV stream goes on with a word of all ones, an HVM stream with a chunk
 * type; PV streams of the oldest Xen, which have no such word, are not told.
 *
 * @param first up to 16 bytes; with fewer, less can be told.
 * @param width when it is known already.
 */
export function detectLegacy(first: Uint8Array, width: LegacyWidth | undefined = widthOf(first)): LegacyKind {
  if (width === undefined) return {}
  const word = first.subarray(width / 8, width / 4)
  if (word.length < width / 8) return { width }
  if (word.every((byte) => byte === 0xff)) return { guest: 'pv', width }
  const type = viewOf(word).getInt32(0, true)
  return type >= CHUNK_MIN && type <= LEGACY_BATCH_MAX ? { guest: 'hvm', width } : { width }
}

function widthOf(first: Uint8Array): LegacyWidth | undefined {
  if (first.length < 8) return undefined
  return first.subarray(4, 8).every((byte) => byte === 0) ? 64 : 32
}

/**
 * Completes what the caller knows, without consuming a byte.
 *
 * @throws FormatError FMT_LEGACY_GUEST_UNKNOWN | FMT_TRUNCATED
 */
export async function settleKind(reader: ByteReader, known: LegacyKind): Promise<Required<LegacyKind> & { guest: LegacyGuest; width: LegacyWidth }> {
  if (known.guest !== undefined && known.width !== undefined) return { guest: known.guest, width: known.width }
  const first = await reader.peek(LOOK)
  const told = detectLegacy(first, known.width)
  const guest = known.guest ?? told.guest
  const { width } = told
  if (width !== undefined && guest !== undefined) return { guest, width }
  const wanted = width === 32 ? LOOK / 2 : LOOK
  if (first.length < wanted) throw truncated(wanted, first.length, reader.offset + first.length)
  throw new LegacyError('LG_GUEST_UNKNOWN', reader.offset)
}
