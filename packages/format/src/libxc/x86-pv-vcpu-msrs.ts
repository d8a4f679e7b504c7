import { reserved, u32, u64 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { rowsCodec } from '../frame/rows.ts'
import { msrName } from './msr-names.ts'
import { XC } from './record-types.ts'
import { vcpuRecord } from './vcpu-record.ts'

const entry = struct(16, { index: u32, _res: reserved(4), value: u64 })
/** A model-specific register of one vCPU. */
export type VcpuMsr = StructOf<typeof entry>

/** The model-specific registers of one vCPU of a PV guest that are not zero. */
export const x86PvVcpuMsrs = vcpuRecord(
  XC.X86_PV_VCPU_MSRS,
  'X86_PV_VCPU_MSRS',
  rowsCodec('X86_PV_VCPU_MSRS', entry, { nameOf: ({ index }) => msrName(index) }),
)
