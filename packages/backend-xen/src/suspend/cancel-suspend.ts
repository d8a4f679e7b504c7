import type { GuestKind } from '@xen-replication/hypervisor'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'
import { readHvmParam } from '../ports/cpu-state.ts'
import { guestWidth } from '../ports/domain-info.ts'
import { CONTEXT_BYTES, readContext } from '../ports/pv-vcpu.ts'

/** HVM_PARAM_CALLBACK_IRQ. */
const CALLBACK = 0
/** What the call that suspended returns to the guest when nothing came of it. */
const CANCELLED = 1

/** Offsets in vcpu_guest_context. Source: public/arch-x86/xen-x86_{64,32}.h. */
export const REGISTERS = { 8: { ax: 600, dx: 616 }, 4: { ax: 540, dx: 524 } } as const

/** Has vCPU 0 find "cancelled" when it goes on. Guests without PV drivers have not called, so nothing is changed. Source: xc_resume.c modify_returncode(). */
export function cancelSuspend(platform: Platform, domId: number, kind: GuestKind): void {
  if (kind !== 'pv' && readHvmParam(platform, domId, CALLBACK) === 0n) return
  const width = kind === 'pv' ? guestWidth(platform, domId) : 8
  const context = readContext(platform, domId, 0, width)
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength)
  if (width === 8) view.setBigUint64(REGISTERS[8].ax, BigInt(CANCELLED), true)
  else view.setUint32(REGISTERS[4].ax, CANCELLED, true)
  writeContext(platform, domId, 0, context)
}

/** Sets the registers of a vCPU; without any it is reset. */
export function writeContext({ domctl, hypercalls }: Platform, domId: number, vcpu: number, context: Uint8Array | undefined): void {
  const what = `registers of vCPU ${vcpu}`
  if (context === undefined) return void domctl.call(domId, 'setVcpuContext', { vcpu }, 'BACKEND_CPU_STATE', what)
  withBuffer(hypercalls, CONTEXT_BYTES[8], ({ address, bytes }) => {
    bytes.set(context)
    domctl.call(domId, 'setVcpuContext', { vcpu, context: address }, 'BACKEND_CPU_STATE', what)
  })
}
