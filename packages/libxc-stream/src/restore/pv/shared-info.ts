import type { GuestWidth } from '../../pv/guest-width.ts'

/** Places in the page that a PV guest shares with Xen, in bytes. Source: public xen.h, shared_info; arch-x86/xen.h. */
const LAYOUT = {
  8: { pendingSel: 8, pending: 2048, mask: 2560, maskEnd: 3072, arch: 3088, archEnd: 3136, frameListList: 3096 },
  4: { pendingSel: 4, pending: 2048, mask: 2176, maskEnd: 2304, arch: 2316, archEnd: 2344, frameListList: 2320 },
} as const
const VCPUS = 32
const VCPU_INFO = 64

/**
 * Takes over from a saved page what belongs to the guest. Its event channels are gone, the clock is the new host's.
 *
 * @param page the target's own, 4096 bytes.
 */
export function takeSharedInfo(page: Uint8Array, saved: Uint8Array, width: GuestWidth): void {
  const at = LAYOUT[width]
  page.set(saved.subarray(0, VCPUS * VCPU_INFO))
  page.set(saved.subarray(at.arch, at.archEnd), at.arch)
  page.fill(0, at.frameListList, at.frameListList + width)
  page.fill(0, at.pending, at.mask)
  page.fill(0xff, at.mask, at.maskEnd)
  for (let vcpu = 0; vcpu < VCPUS; vcpu++) {
    const sel = vcpu * VCPU_INFO + at.pendingSel
    page.fill(0, sel, sel + width)
  }
}

