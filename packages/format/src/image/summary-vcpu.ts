import { readStruct, viewOf } from '../bytes/struct.ts'
import { cpu, cpuCompat } from '../libxc/hvm-context/cpu.ts'
import { cr3ToPfn32, cr3ToPfn64, vcpuContext32, vcpuContext64 } from '../libxc/vcpu-context.ts'

/** One vCPU where it stood. */
export interface VcpuSummary {
  readonly id: number
  /** What the vCPU computes with: of a PV guest its width, of an HVM guest the mode it was in. */
  readonly mode: 'x86_64' | 'x86_32' | 'real' | 'protected' | 'long'
  readonly rip: bigint
  readonly rsp: bigint
  readonly cr0: bigint
  /** In a PV guest's image this holds a pfn, see `cr3Pfn`. */
  readonly cr3: bigint
  readonly cr4: bigint
  /** PV: pfn of the top page table. */
  readonly cr3Pfn: number | undefined
}

/** One kind of record within an HVM context. */
export interface ContextSummary {
  readonly name: string
  readonly typecode: number
  readonly count: number
  /** In all of them together, without their heads. */
  readonly bytes: number
}

/** What an HVM context holds. */
export interface HvmContextSummary {
  readonly bytes: number
  readonly records: readonly ContextSummary[]
  readonly vcpus: readonly VcpuSummary[]
  /** Its descriptors lead to an END within it. */
  readonly whole: boolean
}

const VCPU_FRONT = 8

/** @param body of X86_PV_VCPU_BASIC. @returns undefined when it has not the length of either layout. */
export function summarisePvVcpu(body: Uint8Array): VcpuSummary | undefined {
  if (body.length === VCPU_FRONT + vcpuContext64.size) {
    const { userRegs, ctrlreg } = readStruct(vcpuContext64, body, VCPU_FRONT)
    const [cr0 = 0n, , , cr3 = 0n, cr4 = 0n] = ctrlreg
    return { id: idOf(body), mode: 'x86_64', rip: userRegs.rip, rsp: userRegs.rsp, cr0, cr3, cr4, cr3Pfn: Number(cr3ToPfn64(cr3)) }
  }
  if (body.length === VCPU_FRONT + vcpuContext32.size) {
    const { userRegs, ctrlreg } = readStruct(vcpuContext32, body, VCPU_FRONT)
    const [cr0 = 0, , , cr3 = 0, cr4 = 0] = ctrlreg
    const wide = { rip: BigInt(userRegs.eip), rsp: BigInt(userRegs.esp), cr0: BigInt(cr0), cr3: BigInt(cr3), cr4: BigInt(cr4) }
    return { id: idOf(body), mode: 'x86_32', ...wide, cr3Pfn: cr3ToPfn32(cr3) }
  }
  return undefined
}

const idOf = (body: Uint8Array): number => viewOf(body).getUint32(0, true)

const CR0_PE = 1n
const EFER_LMA = 0x400n

function summariseHvmCpu(id: number, bytes: Uint8Array): VcpuSummary | undefined {
  const layout = [cpu, cpuCompat].find(({ size }) => size === bytes.length)
  if (layout === undefined) return undefined
  const { rip, rsp, cr0, cr3, cr4, msrEfer } = readStruct(layout, bytes)
  const protectedMode = (msrEfer & EFER_LMA) === 0n ? 'protected' : 'long'
  return { id, mode: (cr0 & CR0_PE) === 0n ? 'real' : protectedMode, rip, rsp, cr0, cr3, cr4, cr3Pfn: undefined }
}

/** Names by typecode. Source: public arch-x86/hvm/save.h. */
const contextNames = [
  'END', 'HEADER', 'CPU', 'PIC', 'IOAPIC', 'LAPIC', 'LAPIC_REGS', 'PCI_IRQ', 'ISA_IRQ', 'PCI_LINK', 'PIT', 'RTC', 'HPET', 'PMTIMER',
  'MTRR', 'VIRIDIAN_DOMAIN', 'CPU_XSAVE', 'VIRIDIAN_VCPU', 'VMCE_VCPU', 'TSC_ADJUST', 'CPU_MSR',
] as const
const CPU_CODE = 2
const DESCRIPTOR = 8

/** @param body of HVM_CONTEXT, as much of it as there is. */
export function summariseHvmContext(body: Uint8Array): HvmContextSummary {
  const kinds = new Map<number, { count: number; bytes: number }>()
  const vcpus: VcpuSummary[] = []
  let whole = false
  for (const { typecode, instance, bytes } of descriptors(body)) {
    whole = typecode === 0
    if (whole) break
    const kind = kinds.get(typecode) ?? { count: 0, bytes: 0 }
    kinds.set(typecode, { count: kind.count + 1, bytes: kind.bytes + bytes.length })
    const vcpu = typecode === CPU_CODE ? summariseHvmCpu(instance, bytes) : undefined
    if (vcpu !== undefined) vcpus.push(vcpu)
  }
  const records = [...kinds].map(([typecode, kind]) => ({ name: contextNames[typecode] ?? `type ${typecode}`, typecode, ...kind }))
  return { bytes: body.length, records, vcpus, whole }
}

interface Descriptor {
  readonly typecode: number
  readonly instance: number
  readonly bytes: Uint8Array
}

function* descriptors(body: Uint8Array): Generator<Descriptor> {
  const view = viewOf(body)
  for (let at = 0; at + DESCRIPTOR <= body.length; ) {
    const from = at + DESCRIPTOR
    const end = from + view.getUint32(at + 4, true)
    if (end > body.length) return
    yield { typecode: view.getUint16(at, true), instance: view.getUint16(at + 2, true), bytes: body.subarray(from, end) }
    at = end
  }
}
