import { u32 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { recordCodec } from '../frame/record.ts'
import { rowsCodec } from '../frame/rows.ts'
import { XC } from './record-types.ts'

/** `subleaf` of a leaf that has none. */
export const NO_SUBLEAF = 0xffffffff

const leaf = struct(24, { leaf: u32, subleaf: u32, a: u32, b: u32, c: u32, d: u32 })
/** One answer of CPUID: what it was asked, and the four registers. */
export type CpuidLeaf = StructOf<typeof leaf>

/** What CPUID shall tell the guest. */
export const x86CpuidPolicy = recordCodec<readonly CpuidLeaf[]>(
  XC.X86_CPUID_POLICY,
  'X86_CPUID_POLICY',
  'libxc-migration-stream, "X86_CPUID_POLICY"',
  rowsCodec('X86_CPUID_POLICY', leaf, { min: 1 }),
)
