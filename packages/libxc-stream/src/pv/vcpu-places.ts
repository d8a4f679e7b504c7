import type { GuestWidth } from './guest-width.ts'

/** Where a vCPU context of a PV guest holds what differs from host to host, in bytes. */
export interface VcpuPlaces {
  readonly size: number
  /** 64 or 32 bits, as the guest's word. */
  readonly flags: number
  /** Register that points to start_info, of vCPU 0: rdx, edx. */
  readonly startInfo: number
  readonly gdtFrames: number
  readonly gdtEntries: number
  readonly cr3: number
}

/** By width of the guest. Source: public arch-x86/xen.h, vcpu_guest_context. */
export const VCPU_PLACES: Readonly<Record<GuestWidth, VcpuPlaces>> = {
  8: { size: 5168, flags: 512, startInfo: 616, gdtFrames: 4832, gdtEntries: 4960, cr3: 5008 },
  4: { size: 2800, flags: 512, startInfo: 524, gdtFrames: 2640, gdtEntries: 2704, cr3: 2728 },
}

/** ctrlreg[1] of a 64-bit guest: the page table root of its user space, with bit 0 set in images. */
export const VCPU_CR1_64 = 4992

/** Entries of a GDT that the guest may use; the rest is Xen's. Source: public arch-x86/xen.h, FIRST_RESERVED_GDT_ENTRY. */
export const GDT_ENTRIES_MAX = 7168
export const GDT_ENTRIES_PER_PAGE = 512
