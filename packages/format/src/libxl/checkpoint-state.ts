import { u32 } from '../bytes/field.ts'
import { readStruct, struct, type StructOf } from '../bytes/struct.ts'
import { bodySizeError, structCodec } from '../frame/codec.ts'
import { encodeRecord } from '../frame/encode.ts'
import { recordCodec } from '../frame/record.ts'
import { XL2 } from './record-types.ts'

/** What the two sides of COLO tell each other; NEW comes from the primary, the others from the secondary. */
export const CHECKPOINT_STATE = { NEW: 0, SVM_SUSPENDED: 1, SVM_READY: 2, SVM_RESUMED: 3 } as const
export type CheckpointStateName = keyof typeof CHECKPOINT_STATE

const names = new Map<number, CheckpointStateName>(Object.entries(CHECKPOINT_STATE).map(([name, id]) => [id, name as CheckpointStateName]))

/** The state's name, or undefined for a number that the specification does not have. */
export const checkpointStateName = (id: number): CheckpointStateName | undefined => names.get(id)

const body = struct(4, { id: u32 })
export type CheckpointState = StructOf<typeof body>

const whole = structCodec('CHECKPOINT_STATE', body)

/** The specification draws a body of 8 bytes, Xen writes 4; a longer one is read, its first 4 bytes count. */
export const checkpointState = recordCodec<CheckpointState>(XL2.CHECKPOINT_STATE, 'CHECKPOINT_STATE', 'libxl-migration-stream, "CHECKPOINT_STATE"', {
  ...whole,
  decode: (bytes) => {
    if (bytes.length < body.size) throw bodySizeError('CHECKPOINT_STATE', '4 or more bytes', bytes.length)
    return readStruct(body, bytes)
  },
})

/** The record as it goes on the wire, in either direction: 16 bytes. */
export const encodeCheckpointState = (state: CheckpointStateName): Uint8Array =>
  encodeRecord(XL2.CHECKPOINT_STATE, checkpointState.encode({ id: CHECKPOINT_STATE[state] }))
