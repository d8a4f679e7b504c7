import { BackendError, type DomId, type DomainState, type GuestFacts, type GuestKind, type ShutdownReason } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import { refused } from '../hypercall/refused.ts'
import type { DomctlAnswer } from '../domctl/domctl.ts'
import type { Platform } from '../platform/platform.ts'

/** XEN_DOMINF_*. */
const FLAG = { dying: 0x1, hvm: 0x2, shutdown: 0x4, paused: 0x8 } as const
const REASON_SHIFT = 16
const REASONS: readonly ShutdownReason[] = ['poweroff', 'reboot', 'suspend', 'crash', 'watchdog', 'soft-reset']
/** The only device that Xen emulates for a PVH guest: XEN_X86_EMU_LAPIC. */
const EMU_LAPIC = 0x1
/** Highest number a domain may have, and one more. Source: public/xen.h DOMID_FIRST_RESERVED. */
const DOMID_END = 0x7ff0

/** What the hypervisor says of a domain. */
export type DomainInfo = DomctlAnswer<'info'>['values']

/** @returns undefined when there is no such domain. @throws BackendError BACKEND_DENIED, BACKEND_HOST */
export function findInfo({ domctl }: Pick<Platform, 'domctl'>, domId: number): DomainInfo | undefined {
  if (!(Number.isInteger(domId) && domId >= 0 && domId < DOMID_END)) return undefined
  const { result, values } = domctl.try(domId, 'info', {})
  if (result === -ERRNO.ESRCH) return undefined
  if (result < 0) throw refused('BACKEND_HOST', `domain ${domId} is not told about`, -result)
  return values.domain === domId ? values : undefined // older ones tell of the next domain instead
}

/** @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_DENIED, BACKEND_HOST */
export function domainInfo(platform: Pick<Platform, 'domctl'>, domId: number): DomainInfo {
  const info = findInfo(platform, domId)
  if (info === undefined) throw new BackendError('BACKEND_NO_SUCH_DOMAIN', `there is no domain ${domId}`, { hint: '`xr list` shows those there are' })
  return info
}

export function stateOf({ flags }: DomainInfo): DomainState {
  const reason = (flags >>> REASON_SHIFT) & 0xff
  return { dying: (flags & FLAG.dying) !== 0, paused: (flags & FLAG.paused) !== 0, shutdown: (flags & FLAG.shutdown) === 0 ? undefined : (REASONS[reason] ?? 'crash') }
}

/** HVM and PVH are one kind to the hypervisor; a device model can only serve a guest for which it emulates more than the local APIC. */
export function kindOf({ flags, emulation }: DomainInfo): GuestKind {
  if ((flags & FLAG.hvm) === 0) return 'pv'
  return (emulation & ~EMU_LAPIC) === 0 ? 'pvh' : 'hvm'
}

/** Facts of a domain that is there. @throws BackendError */
export function factsOf(platform: Platform, domId: number, info: DomainInfo = domainInfo(platform, domId)): GuestFacts {
  const kind = kindOf(info)
  return { domId: domId as DomId, kind, width: kind === 'pv' ? guestWidth(platform, domId) : undefined, maxVcpuId: info.maxVcpuId, xen: platform.xen }
}

/** Bytes of a word of a PV guest. */
export function guestWidth({ domctl }: Platform, domId: number): 4 | 8 {
  return domctl.call(domId, 'getAddressSize', {}, 'BACKEND_CPU_STATE', 'the word width').size === 32 ? 4 : 8
}
