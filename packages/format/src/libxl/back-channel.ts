import { truncated, type ByteReader } from '../bytes/byte-reader.ts'
import { paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { OUT_OF_STEP, readDirtyPfnBody, type DirtyPfnOptions } from '../libxc/checkpoint-dirty-pfn-list.ts'
import { XC } from '../libxc/record-types.ts'
import { checkpointState, checkpointStateName, type CheckpointStateName } from './checkpoint-state.ts'
import { XL2 } from './record-types.ts'

/** What comes from COLO's secondary. `name` is undefined for a state that the specification does not have. */
export type BackChannelRecord =
  | { readonly kind: 'state'; readonly offset: number; readonly id: number; readonly name: CheckpointStateName | undefined }
  | { readonly kind: 'dirty'; readonly offset: number; readonly pfns: readonly number[] }

/** Longest CHECKPOINT_STATE body taken, in bytes; more means that the two sides are out of step. */
const STATE_MAX = 4096

/**
 * Reads COLO's back channel, which has no header: libxl states and libxc lists of dirty pfns by turns. It ends where the channel ends
 * between two records; a record is given out as soon as its last byte is there, and no byte after it is touched.
 *
 * @throws FormatError FMT_TRUNCATED, FMT_BODY_SIZE, FMT_VALUE, FMT_BACK_CHANNEL for a record that does not belong here.
 */
export async function* readBackChannel(reader: ByteReader, options: DirtyPfnOptions = {}): AsyncGenerator<BackChannelRecord, void, void> {
  for (;;) {
    const offset = reader.offset
    const head = await reader.upTo(8)
    if (head.length === 0) return
    if (head.length < 8) throw truncated(8, head.length, reader.offset)
    yield await recordAfter(head, offset, reader, options)
  }
}

async function recordAfter(head: Uint8Array, offset: number, reader: ByteReader, options: DirtyPfnOptions): Promise<BackChannelRecord> {
  const view = viewOf(head)
  const type = view.getUint32(0, true)
  const length = view.getUint32(4, true)
  if (type === XC.CHECKPOINT_DIRTY_PFN_LIST) return { kind: 'dirty', offset, pfns: await readDirtyPfnBody(reader, length, options) }
  if (type === XL2.CHECKPOINT_STATE) return readState(reader, length, offset)
  throw new FormatError('FMT_BACK_CHANNEL', `a record of type ${type} and ${length} bytes has no place on the back channel`, { offset, hint: OUT_OF_STEP })
}

async function readState(reader: ByteReader, length: number, offset: number): Promise<BackChannelRecord> {
  if (length < 4 || length > STATE_MAX) {
    throw new FormatError('FMT_BODY_SIZE', `CHECKPOINT_STATE: 4 to ${STATE_MAX} bytes wanted, ${length} announced`, { offset, hint: OUT_OF_STEP })
  }
  const { id } = checkpointState.decode(await reader.take(length))
  await reader.take(paddingOf(length))
  return { kind: 'state', offset, id, name: checkpointStateName(id) }
}
