import { BackendError, type CpuPolicy, type CpuState, type GuestFacts, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import { HYPERCALL } from '../hypercall/hypercall.ts'
import { COMMAND, stable } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import { readStruct, writeStruct } from '../hypercall/struct.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'
import { readPvVcpu } from './pv-vcpu.ts'

/** Sizes in bytes. Source: public/arch-x86/xen.h xen_cpuid_leaf_t, xen_msr_entry_t. */
const LEAF = 24
const MSR = 16
/** How many leaves and MSRs are asked for first, and at most. */
const POLICY = { first: 512, most: 16_384 } as const

/** CPU state of a guest as a saver reads it. */
export class XenCpuState implements CpuState {
  readonly #platform: Platform
  readonly #facts: GuestFacts

  constructor(platform: Platform, facts: GuestFacts) {
    this.#platform = platform
    this.#facts = facts
  }

  async tsc(): Promise<TscInfo> {
    const { mode, khz, nsec, incarnation } = this.#platform.domctl.call(this.#facts.domId, 'getTsc', {}, 'BACKEND_CPU_STATE', 'the time stamp counter')
    return Promise.resolve({ mode, khz, nsec, incarnation })
  }

  async policy(): Promise<CpuPolicy> {
    for (let most: number = POLICY.first; ; most *= 2) {
      const policy = this.#policy(most)
      if (policy !== undefined) return Promise.resolve(policy)
      if (most >= POLICY.most) throw new BackendError('BACKEND_CPU_STATE', `the CPU policy of domain ${this.#facts.domId} has more than ${most} entries`)
    }
  }

  async hvmContext(): Promise<Uint8Array> {
    this.#requireHvm('HVM context')
    const { domctl, hypercalls } = this.#platform
    const { domId } = this.#facts
    const { size } = domctl.call(domId, 'getHvmContext', {}, 'BACKEND_CPU_STATE', 'the size of the HVM context')
    return Promise.resolve(
      withBuffer(hypercalls, size, ({ address, bytes }) => {
        const { size: actual } = domctl.call(domId, 'getHvmContext', { size, buffer: address }, 'BACKEND_CPU_STATE', 'the HVM context')
        return bytes.slice(0, actual)
      }),
    )
  }

  async hvmParam(index: number): Promise<bigint> {
    this.#requireHvm('HVM parameters')
    return Promise.resolve(readHvmParam(this.#platform, this.#facts.domId, index))
  }

  async pvVcpu(id: number): Promise<PvVcpu | undefined> {
    const { domId, kind, maxVcpuId, width } = this.#facts
    if (kind !== 'pv') throw new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} is ${kind} and has no PV vCPU`)
    if (!(Number.isInteger(id) && id >= 0 && id <= maxVcpuId)) throw new BackendError('BACKEND_CPU_STATE', `domain ${domId} has no vCPU ${id}`)
    return Promise.resolve(readPvVcpu(this.#platform, domId, id, width ?? 8))
  }

  /** @returns undefined when there are more entries. */
  #policy(most: number): CpuPolicy | undefined {
    const { domctl, hypercalls } = this.#platform
    return withBuffer(hypercalls, most * LEAF, (leaves) =>
      withBuffer(hypercalls, most * MSR, (msrs) => {
        const { result, values } = domctl.try(this.#facts.domId, 'getPolicy', { leaves: most, msrs: most, leafArray: leaves.address, msrArray: msrs.address })
        if (result === -ERRNO.ENOBUFS) return undefined
        if (result < 0) throw refused('BACKEND_CPU_STATE', `the CPU policy of domain ${this.#facts.domId}`, -result)
        return { cpuid: leaves.bytes.slice(0, values.leaves * LEAF), msr: msrs.bytes.slice(0, values.msrs * MSR) }
      }),
    )
  }

  #requireHvm(what: string): void {
    const { domId, kind } = this.#facts
    if (kind === 'pv') throw new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} is PV and has no ${what}`)
  }
}

/** A parameter of an HVM or PVH guest, 0 when unset. @throws BackendError BACKEND_CPU_STATE */
export function readHvmParam(platform: Platform, domId: number, index: number): bigint {
  const { result, value } = hvmParam(platform, domId, COMMAND.getParam, index, 0n)
  if (result < 0) throw refused('BACKEND_CPU_STATE', `HVM parameter ${index} of domain ${domId}`, -result)
  return value
}

/** Reads or sets a parameter of an HVM or PVH guest. */
export function hvmParam({ hypercalls }: Platform, domId: number, command: number, index: number, value: bigint): { readonly result: number; readonly value: bigint } {
  return withBuffer(hypercalls, stable.hvmParam.size, ({ address, bytes }) => {
    writeStruct(stable.hvmParam, bytes, 0, { domain: domId, index, value })
    const result = hypercalls.call(HYPERCALL.hvmOp, command, address)
    return { result, value: readStruct(stable.hvmParam, bytes, 0).value }
  })
}
