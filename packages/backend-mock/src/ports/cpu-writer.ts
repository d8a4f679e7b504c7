import { BackendError, type CpuPolicy, type CpuStateWriter, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'
import { policyFault, tscFault } from '../cpu/policy.ts'
import { xsaveFault } from '../cpu/xsave.ts'
import type { Guest } from '../guest/guest.ts'
import { paramFault } from '../hvm/params.ts'
import { contextFault } from '../hvm/save-records.ts'
import { RefusedTable } from '../pv/page-types.ts'
import { PvContext, contextBytes } from '../pv/vcpu.ts'

/** Bounds of ext_vcpucontext that Xen takes. */
const EXTENDED = { least: 32, most: 128 } as const
/** MSRs that a PV vCPU may bring. Source: xen/arch/x86/domctl.c XEN_DOMCTL_set_vcpu_msrs. */
const VCPU_MSRS: ReadonlySet<number> = new Set([0x48, 0x140, 0xc0000103, 0xc0011027, 0xc0011019, 0xc001101a, 0xc001101b])

const EMPTY: PvVcpu = { context: new Uint8Array(0), extended: new Uint8Array(0), xsave: new Uint8Array(0), msrs: new Uint8Array(0) }

/** Takes CPU state as Xen would, or refuses it. */
export class CpuWriter implements CpuStateWriter {
  readonly #guest: Guest
  readonly #check: () => void

  /** @param check throws when the guest can no longer be written. */
  constructor(guest: Guest, check: () => void) {
    this.#guest = guest
    this.#check = check
  }

  setTsc(tsc: TscInfo): Promise<void> {
    return this.#set(tscFault(tsc), () => {
      this.#guest.cpu.tsc = { mode: tsc.mode, khz: tsc.khz, nsec: tsc.nsec, incarnation: tsc.incarnation }
    })
  }

  setPolicy(policy: CpuPolicy): Promise<void> {
    return this.#set(policyFault(policy), () => {
      const { cpu } = this.#guest
      if (policy.cpuid.length > 0) cpu.cpuid = policy.cpuid.slice()
      if (policy.msr.length > 0) cpu.msr = policy.msr.slice()
    })
  }

  setHvmContext(context: Uint8Array): Promise<void> {
    return this.#set(this.#notPv('an HVM context') ?? contextFault(context, this.#guest.record.vcpus), () => {
      this.#guest.cpu.context = context.slice()
    })
  }

  setHvmParam(index: number, value: bigint): Promise<void> {
    const { params } = this.#guest.cpu
    return this.#set(this.#notPv('HVM parameters') ?? paramFault(index, value, params.get(index)), () => params.set(index, value))
  }

  setPvVcpu(id: number, part: keyof PvVcpu, bytes: Uint8Array): Promise<void> {
    const { pv, record, cpu, domId } = this.#guest
    if (pv === undefined) return this.#set(`domain ${domId} is ${record.kind} and takes no PV vCPU`, () => undefined)
    if (!(Number.isInteger(id) && id >= 0 && id < record.vcpus)) return this.#set(`domain ${domId} has no vCPU ${id}`, () => undefined)
    const copy = bytes.slice()
    const fault = part === 'context' ? this.#contextFault(copy) : vcpuFaults[part](copy)
    return this.#set(fault === undefined ? undefined : `${part} of vCPU ${id}: ${fault}`, () => {
      if (part === 'context') this.#guest.releaseTables(this.#guest.context(id))
      cpu.vcpus[id] = { ...(cpu.vcpus[id] ?? EMPTY), [part]: copy }
    })
  }

  async #set(fault: string | undefined, set: () => unknown): Promise<void> {
    this.#check()
    if (fault !== undefined) throw new BackendError('BACKEND_CPU_STATE', fault)
    set()
    return Promise.resolve()
  }

  #notPv(what: string): string | undefined {
    return this.#guest.pv === undefined ? undefined : `domain ${this.#guest.domId} is PV and takes no ${what}`
  }

  /** The tables and descriptors that a vCPU names must be good ones of the guest. Source: xen/arch/x86/domain.c arch_set_info_guest. */
  #contextFault(bytes: Uint8Array): string | undefined {
    const width = this.#guest.pv?.width ?? 8
    if (bytes.length !== contextBytes(width)) return `${bytes.length} bytes instead of the ${contextBytes(width)} of a ${width * 8}-bit guest`
    const context = new PvContext(bytes, width)
    if (context.gdtFrames === undefined) return 'the descriptor table has more than 7168 entries'
    try {
      this.#guest.useTables(context)
      return undefined
    } catch (cause) {
      if (!(cause instanceof RefusedTable)) throw cause
      return cause.message
    }
  }
}

/** What Xen would say to the other parts; undefined when they are taken. */
const vcpuFaults: Readonly<Record<Exclude<keyof PvVcpu, 'context'>, (bytes: Uint8Array) => string | undefined>> = {
  extended: (bytes) => (bytes.length < EXTENDED.least || bytes.length > EXTENDED.most ? `${bytes.length} bytes instead of ${EXTENDED.least} to ${EXTENDED.most}` : undefined),
  xsave: xsaveFault,
  msrs: (bytes) => {
    if (bytes.length % 16 !== 0) return `${bytes.length} bytes are no whole number of MSRs`
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < bytes.length; at += 16) {
      const index = view.getUint32(at, true)
      if (!VCPU_MSRS.has(index)) return `MSR 0x${index.toString(16)} is not taken`
      if (view.getUint32(at + 4, true) !== 0) return `flags of MSR 0x${index.toString(16)} are not zero`
    }
    return undefined
  },
}
