import type { ByteReader } from '../bytes/byte-reader.ts'
import { LIBXC_BODY_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { recordHead } from '../frame/encode.ts'
import { joined } from '../bytes/joined.ts'
import { pfnsCodec } from '../frame/pfns.ts'
import { recordCodec } from '../frame/record.ts'
import { XC } from './record-types.ts'

/**
 * What a peer does that the format does not say. `c64-surplus`: 64-bit builds of Xen's own sender put 8 zero bytes between
 * head and body, which its length does not count. Source: xg_sr_restore.c, send_checkpoint_dirty_pfn_list().
 */
export interface DirtyPfnOptions {
  readonly quirk?: 'c64-surplus' | undefined
}

const SURPLUS = 8
/** The hint for a back channel that does not make sense. */
export const OUT_OF_STEP = 'a secondary built for 64 bits puts 8 bytes too many into each list of dirty pfns; try the quirk c64-surplus'
const what = 'CHECKPOINT_DIRTY_PFN_LIST'

/** The pfns that the secondary wrote since the last checkpoint, ascending; COLO's back channel only. */
export const checkpointDirtyPfnList = recordCodec<readonly number[]>(XC.CHECKPOINT_DIRTY_PFN_LIST, what, `libxc-migration-stream, "${what}"`, pfnsCodec(what))

/** The pfns of a body. @throws FormatError FMT_BODY_SIZE, FMT_VALUE */
export const decodeDirtyPfns = (body: Uint8Array): readonly number[] => checkpointDirtyPfnList.decode(body)

/** The record as it goes on the wire. */
export function encodeDirtyPfnRecord(pfns: readonly number[], { quirk }: DirtyPfnOptions = {}): Uint8Array {
  const body = checkpointDirtyPfnList.encode(pfns)
  return joined(recordHead(XC.CHECKPOINT_DIRTY_PFN_LIST, body.length), new Uint8Array(quirk === undefined ? 0 : SURPLUS), body)
}

/**
 * Takes one record off the wire and nothing of what follows.
 *
 * @throws FormatError FMT_TRUNCATED, FMT_BODY_SIZE, FMT_VALUE, FMT_BACK_CHANNEL for another record.
 */
export async function readDirtyPfnRecord(reader: ByteReader, options: DirtyPfnOptions = {}): Promise<readonly number[]> {
  const offset = reader.offset
  const head = viewOf(await reader.take(8))
  const type = head.getUint32(0, true)
  const length = head.getUint32(4, true)
  if (type !== XC.CHECKPOINT_DIRTY_PFN_LIST) {
    throw new FormatError('FMT_BACK_CHANNEL', `the list of dirty pfns wanted, a record of type ${type} came`, { offset, hint: OUT_OF_STEP })
  }
  return readDirtyPfnBody(reader, length, options)
}

/** What comes after the head of such a record. @param length what the head says. */
export async function readDirtyPfnBody(reader: ByteReader, length: number, { quirk }: DirtyPfnOptions): Promise<readonly number[]> {
  const offset = reader.offset
  if (length % 8 !== 0 || length > LIBXC_BODY_MAX) {
    throw new FormatError('FMT_BODY_SIZE', `${what}: a multiple of 8 bytes up to ${LIBXC_BODY_MAX} wanted, ${length} announced`, { offset, hint: OUT_OF_STEP })
  }
  if (quirk !== undefined) await surplus(reader)
  return decodeDirtyPfns(await reader.take(length))
}

async function surplus(reader: ByteReader): Promise<void> {
  const offset = reader.offset
  if ((await reader.take(SURPLUS)).every((byte) => byte === 0)) return
  throw new FormatError('FMT_BACK_CHANNEL', '8 surplus zero bytes wanted before the dirty pfns, something else came', {
    offset,
    hint: 'this sender has no surplus bytes; leave out the quirk c64-surplus',
  })
}
