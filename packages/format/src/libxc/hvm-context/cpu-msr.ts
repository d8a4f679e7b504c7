import { reserved, u32, u64 } from '../../bytes/field.ts'
import { struct } from '../../bytes/struct.ts'
import { countedRows } from '../../frame/counted-rows.ts'
import { msrName } from '../msr-names.ts'

const entry = struct(16, { index: u32, _res: reserved(4), value: u64 })

/** Model-specific registers of a vCPU, one at least. Source: public arch-x86/hvm/save.h, hvm_msr. */
export const cpuMsr = countedRows('CPU_MSR', entry, { min: 1, nameOf: ({ index }) => msrName(index) })
