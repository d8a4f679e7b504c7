import { struct } from '../bytes/struct.ts'
import { structRecord } from '../frame/record.ts'
import { XC } from './record-types.ts'

const nothing = struct(0, {})
const source = 'libxc-migration-stream, "Records"'

/** The image ends here. */
export const end = structRecord(XC.END, 'END', source, nothing)
/** All memory follows once more, to be compared; `xl migrate --debug` asks for it. */
export const verify = structRecord(XC.VERIFY, 'VERIFY', source, nothing)
/** What came since the last one makes a consistent state of the guest. */
export const checkpoint = structRecord(XC.CHECKPOINT, 'CHECKPOINT', source, nothing)
/** All that does not change while the guest runs has been said. Version 3 only. */
export const staticDataEnd = structRecord(XC.STATIC_DATA_END, 'STATIC_DATA_END', source, nothing)
