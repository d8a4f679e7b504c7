import { raw, reserved, u32, u64 } from '../../bytes/field.ts'
import { struct, type StructOf } from '../../bytes/struct.ts'
import { each } from '../../frame/each.ts'

const segments = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldtr'] as const

const start = {
  fpu: raw(512),
  ...each(u64, 'rax', 'rbx', 'rcx', 'rdx', 'rbp', 'rsi', 'rdi', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip', 'rflags'),
  ...each(u64, 'cr0', 'cr2', 'cr3', 'cr4', 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7'),
  selectors: struct(32, each(u32, ...segments)),
  limits: struct(40, each(u32, ...segments, 'idtr', 'gdtr')),
  bases: struct(80, each(u64, ...segments, 'idtr', 'gdtr')),
  accessBytes: struct(32, each(u32, ...segments)),
  ...each(u64, 'sysenterCs', 'sysenterEsp', 'sysenterEip', 'shadowGs'),
  ...each(u64, 'msrFlags', 'msrLstar', 'msrStar', 'msrCstar', 'msrSyscallMask', 'msrEfer'),
}

/**
 * One vCPU of an HVM guest. `pendingEvent`: bits 0-7 vector, 8-10 type, 11 error code valid, 31 valid. `flags`: bit 0 FPU initialised.
 * Source: public arch-x86/hvm/save.h, hvm_hw_cpu.
 */
export const cpu = struct(1032, { ...start, msrTscAux: u64, tsc: u64, ...each(u32, 'pendingEvent', 'errorCode', 'flags'), _pad: reserved(4) })
export type HvmCpu = StructOf<typeof cpu>

/** The same as Xen wrote it before 3.4; still taken. Source: hvm_hw_cpu_compat. */
export const cpuCompat = struct(1016, { ...start, tsc: u64, ...each(u32, 'pendingEvent', 'errorCode') })
export type HvmCpuCompat = StructOf<typeof cpuCompat>
