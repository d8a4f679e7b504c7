import { u32, u64 } from '../../bytes/field.ts'
import { struct, type StructOf } from '../../bytes/struct.ts'

/** The first record of a context: who saved it. `cpuid` is EAX of leaf 1. Source: public arch-x86/hvm/save.h, hvm_save_header. */
export const header = struct(24, { magic: u32, version: u32, changeset: u64, cpuid: u32, gtscKhz: u32 })
export type HvmSaveHeader = StructOf<typeof header>

/** What a good header holds. */
export const HVM_SAVE = { magic: 0x54381286, version: 1 } as const
