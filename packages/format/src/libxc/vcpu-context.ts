import { list, raw, u16, u32, u64, u8 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { each } from '../frame/each.ts'
import { userRegs32, userRegs64 } from './user-regs.ts'

const trap64 = struct(16, { vector: u8, flags: u8, cs: u16, pad: u32, address: u64 })
const trap32 = struct(8, { vector: u8, flags: u8, cs: u16, address: u32 })

/**
 * One vCPU of a 64-bit PV guest. Frame numbers in `gdtFrames`, `ctrlreg[1]` and `ctrlreg[3]`, and in `rdx` of vCPU 0, are pfns in an image.
 * Source: public arch-x86/xen.h, vcpu_guest_context.
 */
export const vcpuContext64 = struct(5168, {
  fpuCtxt: raw(512),
  flags: u64,
  userRegs: userRegs64,
  trapCtxt: list(256, trap64),
  ...each(u64, 'ldtBase', 'ldtEnts'),
  gdtFrames: list(16, u64),
  ...each(u64, 'gdtEnts', 'kernelSs', 'kernelSp'),
  ctrlreg: list(8, u64),
  debugreg: list(8, u64),
  ...each(u64, 'eventCallbackEip', 'failsafeCallbackEip', 'syscallCallbackEip', 'vmAssist', 'fsBase', 'gsBaseKernel', 'gsBaseUser'),
})
export type VcpuContext64 = StructOf<typeof vcpuContext64>

/** One vCPU of a 32-bit PV guest; as above, with `ctrlreg[3]` and `edx` as the pfns. */
export const vcpuContext32 = struct(2800, {
  fpuCtxt: raw(512),
  flags: u32,
  userRegs: userRegs32,
  trapCtxt: list(256, trap32),
  ...each(u32, 'ldtBase', 'ldtEnts'),
  gdtFrames: list(16, u32),
  ...each(u32, 'gdtEnts', 'kernelSs', 'kernelSp'),
  ctrlreg: list(8, u32),
  debugreg: list(8, u32),
  ...each(u32, 'eventCallbackCs', 'eventCallbackEip', 'failsafeCallbackCs', 'failsafeCallbackEip', 'vmAssist'),
})
export type VcpuContext32 = StructOf<typeof vcpuContext32>

/** The pfn in a 64-bit control register. */
export const cr3ToPfn64 = (cr3: bigint): bigint => cr3 >> 12n
export const pfnToCr3of64 = (pfn: bigint): bigint => pfn << 12n
/** The pfn in a 32-bit control register: rotated, so that 32 bits of it fit. */
export const cr3ToPfn32 = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0
export const pfnToCr3of32 = (pfn: number): number => ((pfn << 12) | (pfn >>> 20)) >>> 0
