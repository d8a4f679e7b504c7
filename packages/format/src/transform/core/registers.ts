import { hvmContext } from '../../libxc/hvm-context/hvm-context.ts'
import type { HvmCpu } from '../../libxc/hvm-context/cpu.ts'
import { HVM_SAVE_CODE, hvmSaveCodec } from '../../libxc/hvm-context/save-records.ts'
import { XC } from '../../libxc/record-types.ts'
import type { VcpuContext32, VcpuContext64 } from '../../libxc/vcpu-context.ts'
import { x86PvVcpuBasic } from '../../libxc/x86-pv-vcpu-basic.ts'
import type { ImageBytes } from '../image-bytes.ts'
import type { Snapshot } from '../snapshot.ts'

/** Registers in the order of the kernel's user_regs_struct, which NT_PRSTATUS notes have. Source: Linux arch/x86 asm/user_64.h, user_32.h. */
export const REGISTERS_64 = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi',
  'origRax', 'rip', 'cs', 'rflags', 'rsp', 'ss', 'fsBase', 'gsBase', 'ds', 'es', 'fs', 'gs',
] as const
export const REGISTERS_32 = [
  'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'eax', 'ds', 'es', 'fs', 'gs', 'origEax', 'eip', 'cs', 'eflags', 'esp', 'ss',
] as const

/** The registers of one vCPU that a debugger shows. */
export type Registers =
  | { readonly vcpu: number; readonly bits: 64; readonly values: Readonly<Record<(typeof REGISTERS_64)[number], bigint>> }
  | { readonly vcpu: number; readonly bits: 32; readonly values: Readonly<Record<(typeof REGISTERS_32)[number], bigint>> }

/** No system call is being done: what a kernel has in orig_rax then. */
const NO_CALL_64 = 0xffff_ffff_ffff_ffffn
const NO_CALL_32 = 0xffff_ffffn
/** The vCPU ran the guest's kernel. Source: public arch-x86/xen.h, VGCF_in_kernel. */
const IN_KERNEL = 4n

/**
 * Registers of every vCPU, by number.
 *
 * @throws FormatError FMT_BODY_SIZE when the records that hold them are damaged.
 */
export function registersOf(image: ImageBytes, { vcpus, hvmContext: place }: Pick<Snapshot, 'vcpus' | 'hvmContext'>): readonly Registers[] {
  const pv = [...vcpus].flatMap(([vcpu, records]) => {
    const basic = records.get(XC.X86_PV_VCPU_BASIC)
    const state = basic && x86PvVcpuBasic.decode(image.pread(basic.at, basic.length)).state
    if (state === undefined) return []
    return state.layout === 'x86_64' ? [pv64(vcpu, state.context)] : [pv32(vcpu, state.context)]
  })
  return place === undefined ? pv : [...pv, ...hvmRegisters(image.pread(place.at, place.length))]
}

function pv64(vcpu: number, context: VcpuContext64): Registers {
  const { userRegs, fsBase, flags } = context
  const { cs, ss, ds, es, fs, gs } = userRegs
  const gsBase = (flags & IN_KERNEL) === 0n ? context.gsBaseUser : context.gsBaseKernel
  return { vcpu, bits: 64, values: { ...userRegs, ...wide({ cs, ss, ds, es, fs, gs }), fsBase, gsBase, origRax: NO_CALL_64 } }
}

function pv32(vcpu: number, { userRegs }: VcpuContext32): Registers {
  const { ebx, ecx, edx, esi, edi, ebp, eax, ds, es, fs, gs, eip, cs, eflags, esp, ss } = userRegs
  return { vcpu, bits: 32, values: { ...wide({ ebx, ecx, edx, esi, edi, ebp, eax, ds, es, fs, gs, eip, cs, eflags, esp, ss }), origEax: NO_CALL_32 } }
}

function hvmRegisters(context: Uint8Array): readonly Registers[] {
  const records = hvmContext.decode(context).filter(({ typecode }) => typecode === HVM_SAVE_CODE.CPU)
  return records.flatMap(({ instance, body }) => {
    const cpu = hvmSaveCodec(HVM_SAVE_CODE.CPU, body.length)?.decode(body) as HvmCpu | undefined
    if (cpu === undefined) return []
    const { cs, ss, ds, es, fs, gs } = cpu.selectors
    const values = { ...cpu, ...wide({ cs, ss, ds, es, fs, gs }), fsBase: cpu.bases.fs, gsBase: cpu.bases.gs, origRax: NO_CALL_64 }
    return [{ vcpu: instance, bits: 64 as const, values }]
  })
}

const wide = <K extends string>(values: Readonly<Record<K, number>>): Readonly<Record<K, bigint>> =>
  Object.fromEntries(Object.entries<number>(values).map(([name, value]) => [name, BigInt(value)])) as Record<K, bigint>
