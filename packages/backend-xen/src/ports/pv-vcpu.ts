import type { PvVcpu } from '@xen-replication/hypervisor'
import { refused } from '../hypercall/refused.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'

/** Bytes of vcpu_guest_context by guest width. */
export const CONTEXT_BYTES = { 4: 2800, 8: 5168 } as const
const EXTENDED_MAX = 128
const MSR = 16
const EMPTY = new Uint8Array(0)

/** State of a PV vCPU. @returns undefined when it is offline. @throws BackendError BACKEND_CPU_STATE */
export function readPvVcpu(platform: Platform, domId: number, vcpu: number, width: 4 | 8): PvVcpu | undefined {
  const { online } = platform.domctl.call(domId, 'vcpuInfo', { vcpu }, 'BACKEND_CPU_STATE', `vCPU ${vcpu}`)
  if (online === 0) return undefined
  return { context: readContext(platform, domId, vcpu, width), extended: readExtended(platform, domId, vcpu), xsave: readXsave(platform, domId, vcpu), msrs: readMsrs(platform, domId, vcpu) }
}

/** Registers of any vCPU, in the form of a guest of that width. */
export function readContext({ domctl, hypercalls }: Platform, domId: number, vcpu: number, width: 4 | 8): Uint8Array {
  return withBuffer(hypercalls, CONTEXT_BYTES[8], ({ address, bytes }) => {
    domctl.call(domId, 'getVcpuContext', { vcpu, context: address }, 'BACKEND_CPU_STATE', `registers of vCPU ${vcpu}`)
    return bytes.slice(0, CONTEXT_BYTES[width])
  })
}

function readExtended({ domctl }: Platform, domId: number, vcpu: number): Uint8Array {
  const { size } = domctl.call(domId, 'getExtended', { vcpu }, 'BACKEND_CPU_STATE', `extended state of vCPU ${vcpu}`)
  return domctl.union.slice(0, Math.min(size, EXTENDED_MAX))
}

/** The first call tells the size, the second how much of it there is. */
function readXsave({ domctl, hypercalls }: Platform, domId: number, vcpu: number): Uint8Array {
  const what = `FPU state of vCPU ${vcpu}`
  const { mask, size } = domctl.call(domId, 'getXsave', { vcpu }, 'BACKEND_CPU_STATE', what)
  if (mask === 0n || size === 0n) return EMPTY
  return withBuffer(hypercalls, Number(size), ({ address, bytes }) => {
    const { size: actual } = domctl.call(domId, 'getXsave', { vcpu, mask, size, buffer: address }, 'BACKEND_CPU_STATE', what)
    return bytes.slice(0, Number(actual))
  })
}

function readMsrs({ domctl, hypercalls }: Platform, domId: number, vcpu: number): Uint8Array {
  const { result, values } = domctl.try(domId, 'getMsrs', { vcpu })
  if (result < 0) throw refused('BACKEND_CPU_STATE', `MSRs of vCPU ${vcpu} of domain ${domId}`, -result)
  if (values.count === 0) return EMPTY
  return withBuffer(hypercalls, values.count * MSR, ({ address, bytes }) => {
    const { count } = domctl.call(domId, 'getMsrs', { vcpu, count: values.count, msrs: address }, 'BACKEND_CPU_STATE', `MSRs of vCPU ${vcpu}`)
    return bytes.slice(0, count * MSR)
  })
}
