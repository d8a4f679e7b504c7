import { raw, u16, u32, u64, u8 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { each } from '../frame/each.ts'

// Filler is kept (as `…Pad`): it comes from the stack of the hypervisor that saved, which need not have cleared it.

/** General registers of a 64-bit PV guest, in the order in which Xen keeps them. Source: public arch-x86/xen-x86_64.h, cpu_user_regs. */
export const userRegs64 = struct(200, {
  ...each(u64, 'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi'),
  errorCode: u32,
  entryVector: u32,
  rip: u64,
  cs: u16,
  csPad: raw(2),
  savedUpcallMask: u8,
  maskPad: raw(3),
  ...each(u64, 'rflags', 'rsp'),
  ss: u16,
  ssPad: raw(6),
  es: u16,
  esPad: raw(6),
  ds: u16,
  dsPad: raw(6),
  fs: u16,
  fsPad: raw(6),
  gs: u16,
  gsPad: raw(6),
})
export type UserRegs64 = StructOf<typeof userRegs64>

/** General registers of a 32-bit PV guest. Source: public arch-x86/xen-x86_32.h, cpu_user_regs. */
export const userRegs32 = struct(68, {
  ...each(u32, 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax'),
  errorCode: u16,
  entryVector: u16,
  eip: u32,
  cs: u16,
  savedUpcallMask: u8,
  maskPad: raw(1),
  ...each(u32, 'eflags', 'esp'),
  ss: u16,
  ssPad: raw(2),
  es: u16,
  esPad: raw(2),
  ds: u16,
  dsPad: raw(2),
  fs: u16,
  fsPad: raw(2),
  gs: u16,
  gsPad: raw(2),
})
export type UserRegs32 = StructOf<typeof userRegs32>
