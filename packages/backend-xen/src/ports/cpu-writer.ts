import { BackendError, type CpuPolicy, type CpuStateWriter, type GuestFacts, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'
import { COMMAND } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import type { HypercallBuffer } from '../hypercall/hypercall.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'
import { hvmParam } from './cpu-state.ts'
import { guestWidth } from './domain-info.ts'
import { CONTEXT_BYTES } from './pv-vcpu.ts'

const LEAF = 24
const MSR = 16
/** Bounds of the extended state. Source: xen/arch/x86/domctl.c. */
const EXTENDED = { least: 16, most: 128 } as const

/** CPU state of a guest that is being built. */
export class XenCpuWriter implements CpuStateWriter {
  readonly #platform: Platform
  readonly #facts: GuestFacts
  readonly #check: () => void

  /** @param check throws when the guest may no longer be written. */
  constructor(platform: Platform, facts: GuestFacts, check: () => void) {
    this.#platform = platform
    this.#facts = facts
    this.#check = check
  }

  async setTsc({ mode, khz, nsec, incarnation }: TscInfo): Promise<void> {
    this.#check()
    this.#platform.domctl.call(this.#facts.domId, 'setTsc', { mode, khz, nsec, incarnation }, 'BACKEND_CPU_STATE', 'the time stamp counter')
    return Promise.resolve()
  }

  async setPolicy({ cpuid, msr }: CpuPolicy): Promise<void> {
    this.#check()
    const { domctl } = this.#platform
    if (cpuid.length % LEAF !== 0 || msr.length % MSR !== 0) throw new BackendError('BACKEND_CPU_STATE', `${cpuid.length} bytes of leaves and ${msr.length} of MSRs are no whole number of them`)
    if (cpuid.length === 0 && msr.length === 0) return
    this.#with(cpuid, (leaves) =>
      this.#with(msr, (msrs) => {
        const { result, values } = domctl.try(this.#facts.domId, 'setPolicy', { leaves: cpuid.length / LEAF, msrs: msr.length / MSR, leafArray: leaves.address, msrArray: msrs.address })
        if (result >= 0) return
        const bad = values.badMsr !== 0xffffffff && values.badMsr !== 0 ? `MSR 0x${values.badMsr.toString(16)}` : `CPUID leaf 0x${values.badLeaf.toString(16)}, subleaf 0x${values.badSubleaf.toString(16)}`
        throw refused('BACKEND_CPU_STATE', `the CPU policy of domain ${this.#facts.domId} is not taken, because of ${bad}`, -result, 'this host lacks a CPU feature that the guest was started with')
      }),
    )
    return Promise.resolve()
  }

  async setHvmContext(context: Uint8Array): Promise<void> {
    this.#require('hvm', 'HVM context')
    this.#with(context, ({ address }) => this.#platform.domctl.call(this.#facts.domId, 'setHvmContext', { size: context.length, buffer: address }, 'BACKEND_CPU_STATE', 'the HVM context'))
    return Promise.resolve()
  }

  async setHvmParam(index: number, value: bigint): Promise<void> {
    this.#require('hvm', 'HVM parameters')
    const { result } = hvmParam(this.#platform, this.#facts.domId, COMMAND.setParam, index, value)
    if (result < 0) throw refused('BACKEND_CPU_STATE', `HVM parameter ${index} of domain ${this.#facts.domId} cannot become ${value}`, -result)
    return Promise.resolve()
  }

  async setPvVcpu(id: number, part: keyof PvVcpu, bytes: Uint8Array): Promise<void> {
    this.#require('pv', 'PV vCPU')
    this.#setters[part](id, bytes)
    return Promise.resolve()
  }

  readonly #setters: Readonly<Record<keyof PvVcpu, (vcpu: number, bytes: Uint8Array) => void>> = {
    context: (vcpu, bytes) => {
      const wanted = CONTEXT_BYTES[guestWidth(this.#platform, this.#facts.domId)]
      if (bytes.length !== wanted) throw this.#refuse(vcpu, 'registers', `${bytes.length} bytes instead of ${wanted}`)
      this.#with(bytes, ({ address }) => this.#platform.domctl.call(this.#facts.domId, 'setVcpuContext', { vcpu, context: address }, 'BACKEND_CPU_STATE', `registers of vCPU ${vcpu}`))
    },
    extended: (vcpu, bytes) => {
      if (bytes.length < EXTENDED.least || bytes.length > EXTENDED.most) throw this.#refuse(vcpu, 'extended state', `${bytes.length} bytes`)
      const { result } = this.#platform.domctl.try(this.#facts.domId, 'setExtended', {}, (union) => {
        union.set(bytes)
        new DataView(union.buffer, union.byteOffset).setUint32(0, vcpu, true)
      })
      if (result < 0) throw refused('BACKEND_CPU_STATE', `extended state of vCPU ${vcpu} of domain ${this.#facts.domId}`, -result)
    },
    xsave: (vcpu, bytes) => {
      this.#with(bytes, ({ address }) => this.#platform.domctl.call(this.#facts.domId, 'setXsave', { vcpu, size: BigInt(bytes.length), buffer: address }, 'BACKEND_CPU_STATE', `FPU state of vCPU ${vcpu}`))
    },
    msrs: (vcpu, bytes) => {
      if (bytes.length % MSR !== 0) throw this.#refuse(vcpu, 'MSRs', `${bytes.length} bytes`)
      this.#with(bytes, ({ address }) => this.#platform.domctl.call(this.#facts.domId, 'setMsrs', { vcpu, count: bytes.length / MSR, msrs: address }, 'BACKEND_CPU_STATE', `MSRs of vCPU ${vcpu}`))
    },
  }

  #with(bytes: Uint8Array, use: (buffer: HypercallBuffer) => void): void {
    withBuffer(this.#platform.hypercalls, bytes.length, (buffer) => {
      buffer.bytes.set(bytes)
      use(buffer)
    })
  }

  #refuse(vcpu: number, part: string, why: string): BackendError {
    return new BackendError('BACKEND_CPU_STATE', `${part} of vCPU ${vcpu} of domain ${this.#facts.domId}: ${why}`)
  }

  #require(kind: 'pv' | 'hvm', what: string): void {
    this.#check()
    const { domId, kind: own } = this.#facts
    if ((own === 'pv') !== (kind === 'pv')) throw new BackendError('BACKEND_CPU_STATE', `domain ${domId} is ${own} and takes no ${what}`)
  }
}
