import type { ByteReader } from '../bytes/byte-reader.ts'
import { LegacyCursor, type LegacyOptions } from './cursor.ts'
import { settleKind } from './detect.ts'
import type { LegacySteps } from './steps.ts'
import { walkChunks } from './walk-chunks.ts'
import { walkPvStart } from './walk-pv-start.ts'
import { walkHvmTail, walkPvTail } from './walk-tail.ts'

/**
 * Walks a legacy stream from its first byte to its end: for an HVM guest that of the QEMU record, for a PV guest that of the
 * shared info page. Of a Remus stream that is its first checkpoint, as for Xen's converter; what follows is not touched.
 *
 * The steps share one reader: the long contents that a step carries are to be read before the next step is asked for. What is left
 * of them is passed over. Only what makes the rest unreadable is refused; `checkLegacy` judges.
 *
 * @throws FormatError FMT_LEGACY_GUEST_UNKNOWN | FMT_LEGACY_CHUNK | FMT_LEGACY_UNSUPPORTED | FMT_TRUNCATED
 */
export async function* walkLegacy(reader: ByteReader, options: LegacyOptions = {}): LegacySteps {
  const { guest, width } = await settleKind(reader, options)
  const cursor = new LegacyCursor(reader, guest, width, options)
  const offset = cursor.offset
  const p2mSize = await cursor.ulong()
  yield { kind: 'start', offset, p2mSize, guest, width }
  if (guest === 'pv') yield* walkPvStart(cursor, p2mSize)
  yield* walkChunks(cursor)
  yield* guest === 'pv' ? walkPvTail(cursor) : walkHvmTail(cursor)
  yield { kind: 'end', offset: cursor.offset }
}
