import { u32, u64 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { recordCodec } from '../frame/record.ts'
import { rowsCodec } from '../frame/rows.ts'
import { msrName } from './msr-names.ts'
import { XC } from './record-types.ts'

const entry = struct(16, { index: u32, flags: u32, value: u64 })
/** One register of the policy; `flags` is zero so far. */
export type MsrPolicyEntry = StructOf<typeof entry>

/** What certain model-specific registers shall tell the guest. */
export const x86MsrPolicy = recordCodec<readonly MsrPolicyEntry[]>(
  XC.X86_MSR_POLICY,
  'X86_MSR_POLICY',
  'libxc-migration-stream, "X86_MSR_POLICY"',
  rowsCodec('X86_MSR_POLICY', entry, { min: 1, nameOf: ({ index }) => msrName(index) }),
)
