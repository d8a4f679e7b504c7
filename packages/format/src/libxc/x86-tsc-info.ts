import { reserved, u32, u64 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structRecord } from '../frame/record.ts'
import { XC } from './record-types.ts'

const body = struct(24, { mode: u32, khz: u32, nsec: u64, incarnation: u32, _res: reserved(4) })

/** How the guest's time stamp counter goes on. `mode`: 0 default, 1 always emulated, 2 never, 3 obsolete. */
export const x86TscInfo = structRecord(XC.X86_TSC_INFO, 'X86_TSC_INFO', 'libxc-migration-stream, "X86_TSC_INFO"', body)
export type X86TscInfo = StructOf<typeof body>
