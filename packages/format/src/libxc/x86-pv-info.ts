import { reserved, u8 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structRecord } from '../frame/record.ts'
import { XC } from './record-types.ts'

const body = struct(8, { guestWidth: u8, ptLevels: u8, _res: reserved(6) })

/** Bytes of a guest's machine word and levels of its page tables: 8 and 4, or 4 and 3. */
export const x86PvInfo = structRecord(XC.X86_PV_INFO, 'X86_PV_INFO', 'libxc-migration-stream, "X86_PV_INFO"', body)
export type X86PvInfo = StructOf<typeof body>
