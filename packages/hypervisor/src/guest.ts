/** Number of a running domain on its host. */
export type DomId = number & { readonly __domId: unique symbol }
/** Pseudo-physical frame number: the guest's own count of its pages, from 0. */
export type Pfn = number & { readonly __pfn: unique symbol }
/** Guest frame number of an HVM or PVH guest; the same as its pfn. */
export type Gfn = number & { readonly __gfn: unique symbol }
/** Machine frame number; what a PV guest's page tables hold. */
export type Mfn = number & { readonly __mfn: unique symbol }
/** What a foreign mapping takes: the mfn of a PV guest's page, the gfn of an HVM guest's. */
export type Frame = Mfn | Gfn
/** Number of a vCPU, from 0. */
export type VcpuId = number & { readonly __vcpuId: unique symbol }

/** How a guest runs. PVH is an HVM guest without a device model. */
export type GuestKind = 'pv' | 'pvh' | 'hvm'

/** Size of a page in bytes. */
export const PAGE_SIZE = 4096

/**
 * Type of a page as Xen tells it: the nibble of XEN_DOMCTL_PFINFO_* >> 28, which is also what streams hold. 0 NOTAB, 1-4
 * page table of that level, 9-12 the same pinned, 13 BROKEN, 14 XALLOC, 15 XTAB (no page).
 */
export type PageType = number

/** What does not change while a guest runs. */
export interface GuestFacts {
  readonly domId: DomId
  readonly kind: GuestKind
  /** Bytes of a guest word, PV only: 4 or 8. */
  readonly width: 4 | 8 | undefined
  /** Highest vCPU number the guest may have. */
  readonly maxVcpuId: number
  /** Version of the hypervisor that runs it. */
  readonly xen: { readonly major: number; readonly minor: number }
}

/** Why a domain no longer runs. Source: xen/include/public/sched.h SHUTDOWN_*. */
export type ShutdownReason = 'poweroff' | 'reboot' | 'suspend' | 'crash' | 'watchdog' | 'soft-reset'

/** Where a domain stands at this moment. */
export interface DomainState {
  readonly dying: boolean
  /** The toolstack holds a pause. */
  readonly paused: boolean
  /** Set once the guest has shut down or suspended itself. */
  readonly shutdown: ShutdownReason | undefined
}

/** A line of `xr list`. */
export interface DomainSummary extends GuestFacts, DomainState {
  readonly name: string
  readonly uuid: string
  /** Pages the guest owns. */
  readonly pages: number
  readonly vcpus: number
  /** vCPU time used, in nanoseconds. */
  readonly cpuTime: bigint
}
