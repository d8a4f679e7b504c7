import { struct } from '../bytes/struct.ts'
import { structRecord } from '../frame/record.ts'
import { XL2 } from './record-types.ts'

const nothing = struct(0, {})
const source = 'libxl-migration-stream, "Records"'

/** The stream ends here. */
export const libxlEnd = structRecord(XL2.END, 'END', source, nothing)
/** A complete libxc image follows, outside the record. */
export const libxcContext = structRecord(XL2.LIBXC_CONTEXT, 'LIBXC_CONTEXT', source, nothing)
/** The records of this checkpoint are complete; libxc records follow. */
export const checkpointEnd = structRecord(XL2.CHECKPOINT_END, 'CHECKPOINT_END', source, nothing)
