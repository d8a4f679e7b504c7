import type { CpuPolicy, TscInfo } from '@xen-replication/hypervisor'

/** Frequency of simulated CPUs. */
export const CPU_KHZ = 2_400_000
/** EAX of leaf 1: family 6, model 85, stepping 4. */
export const CPU_SIGNATURE = 0x00050654

const NO_SUBLEAF = 0xffffffff

/** Leaf, subleaf, EAX, EBX, ECX, EDX. */
const LEAVES: readonly (readonly [number, number, number, number, number, number])[] = [
  [0x0, NO_SUBLEAF, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69],
  [0x1, NO_SUBLEAF, CPU_SIGNATURE, 0x00000800, 0xfffa3203, 0x1fc9cbf5],
  [0x2, NO_SUBLEAF, 0x76036301, 0x00f0b5ff, 0, 0x00c30000],
  [0x4, 0, 0x1c004121, 0x01c0003f, 0x3f, 0],
  [0x4, 1, 0x1c004122, 0x01c0003f, 0x3f, 0],
  [0x4, 2, 0x1c004143, 0x03c0003f, 0x3ff, 0],
  [0x7, 0, 0, 0x009c0fbb, 0, 0xac000400],
  [0xb, 0, 1, 2, 0x100, 0],
  [0xb, 1, 4, 16, 0x201, 0],
  [0xd, 0, 7, 832, 832, 0],
  [0xd, 1, 1, 0, 0, 0],
  [0xd, 2, 256, 576, 0, 0],
  [0x40000000, NO_SUBLEAF, 0x40000005, 0x566e6558, 0x65584d4d, 0x4d4d566e],
  [0x80000000, NO_SUBLEAF, 0x80000008, 0, 0, 0],
  [0x80000001, NO_SUBLEAF, 0, 0, 0x121, 0x2c100800],
  [0x80000002, NO_SUBLEAF, 0x756d6953, 0x6574616c, 0x50432064, 0x55],
  [0x80000007, NO_SUBLEAF, 0, 0, 0, 0x100],
  [0x80000008, NO_SUBLEAF, 0x302e, 0, 0, 0],
]

/** Index and value: PLATFORM_INFO and ARCH_CAPABILITIES. */
const MSRS: readonly (readonly [number, bigint])[] = [
  [0xce, 0x80000000n],
  [0x10a, 0x2bn],
]

/** What simulated CPUs tell their guests. */
export function createPolicy(): CpuPolicy {
  const cpuid = new Uint8Array(LEAVES.length * 24)
  LEAVES.forEach((leaf, row) => leaf.forEach((word, column) => new DataView(cpuid.buffer).setUint32(row * 24 + column * 4, word, true)))
  const msr = new Uint8Array(MSRS.length * 16)
  MSRS.forEach(([index, value], row) => {
    const view = new DataView(msr.buffer, row * 16)
    view.setUint32(0, index, true)
    view.setBigUint64(8, value, true)
  })
  return { cpuid, msr }
}

/** What Xen would say to a policy; undefined when it is taken. Source: xen/lib/x86/{cpuid,msr}.c copy_from_buffer. */
export function policyFault({ cpuid, msr }: CpuPolicy): string | undefined {
  if (cpuid.length % 24 !== 0) return `${cpuid.length} bytes are no whole number of CPUID leaves`
  if (msr.length % 16 !== 0) return `${msr.length} bytes are no whole number of MSRs`
  const leaves = new DataView(cpuid.buffer, cpuid.byteOffset, cpuid.byteLength)
  for (let at = 0; at < cpuid.length; at += 24) {
    const leaf = leaves.getUint32(at, true)
    if (!RANGES.some(([first, last]) => leaf >= first && leaf <= last)) return `CPUID leaf 0x${leaf.toString(16)} is out of range`
  }
  const registers = new DataView(msr.buffer, msr.byteOffset, msr.byteLength)
  for (let at = 0; at < msr.length; at += 16) {
    const index = registers.getUint32(at, true)
    if (!MSRS.some(([known]) => known === index)) return `MSR 0x${index.toString(16)} is not part of a policy`
    if (registers.getUint32(at + 4, true) !== 0) return `flags of MSR 0x${index.toString(16)} are not zero`
  }
  return undefined
}

const RANGES = [
  [0, 0x3f],
  [0x40000000, 0x400001ff],
  [0x80000000, 0x8000003f],
] as const

export const createTsc = (): TscInfo => ({ mode: 0, khz: CPU_KHZ, nsec: 0n, incarnation: 1 })

/** What Xen would say to a time stamp counter; undefined when it is taken. */
export function tscFault({ mode, khz }: TscInfo): string | undefined {
  if (!Number.isInteger(mode) || mode < 0 || mode > 2) return `TSC mode ${mode} is unknown`
  return khz === 0 && mode === 1 ? 'an emulated TSC needs a frequency' : undefined
}
