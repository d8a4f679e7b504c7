import { cr3ToPfn32, cr3ToPfn64, pfnToCr3of32, pfnToCr3of64, viewOf } from '@xen-replication/format'
import { tableLevels, type GuestWidth } from '../../pv/guest-width.ts'
import { GDT_ENTRIES_MAX, GDT_ENTRIES_PER_PAGE, VCPU_CR1_64, VCPU_PLACES } from '../../pv/vcpu-places.ts'
import { hex, refused } from '../restore-error.ts'
import type { PvPages } from './pv-pages.ts'
import type { VcpuPart } from './vcpu-state.ts'

/** Bit of `flags`: the vCPU runs. Source: public arch-x86/xen.h, _VGCF_online. */
const ONLINE = 0x20

/** The word of the guest at a byte of a view. */
export const wordAt = (view: DataView, at: number, width: GuestWidth): number => (width === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true))

export function setWord(view: DataView, at: number, width: GuestWidth, value: number): void {
  if (width === 8) view.setBigUint64(at, BigInt(value), true)
  else view.setUint32(at, value, true)
}

/**
 * Puts this host's frames into a vCPU's context, in a copy of it. start_info is not touched.
 *
 * @throws RestoreError XC_GDT, XC_CR3
 */
export function localiseContext({ bytes, place }: VcpuPart, id: number, width: GuestWidth, pages: PvPages): Uint8Array<ArrayBuffer> {
  const context = bytes.slice()
  const view = viewOf(context)
  const places = VCPU_PLACES[width]
  view.setUint32(places.flags, view.getUint32(places.flags, true) | ONLINE, true)
  const entries = wordAt(view, places.gdtEntries, width)
  if (entries > GDT_ENTRIES_MAX) throw refused('XC_GDT', place, `vCPU ${id} has ${entries} descriptors`)
  for (let i = 0; i * GDT_ENTRIES_PER_PAGE < entries; i++) {
    const at = places.gdtFrames + i * width
    const mfn = pages.ordinary(wordAt(view, at, width))
    if (mfn < 0) throw refused('XC_GDT', place, `vCPU ${id}, page ${i}, pfn ${hex(wordAt(view, at, width))}`)
    setWord(view, at, width, mfn)
  }
  const root = (pfn: number, what: string): number => {
    const mfn = pages.table(pfn, tableLevels(width))
    if (mfn < 0) throw refused('XC_CR3', place, `vCPU ${id}, ${what}, pfn ${hex(pfn)}`)
    return mfn
  }
  if (width === 4) view.setUint32(places.cr3, pfnToCr3of32(root(cr3ToPfn32(view.getUint32(places.cr3, true)), 'cr3')), true)
  else localiseRoots64(view, places.cr3, root)
  return context
}

/** The second root, of the user space, is there when its lowest bit is set; Xen takes it without. */
function localiseRoots64(view: DataView, cr3: number, root: (pfn: number, what: string) => number): void {
  const convert = (value: bigint, what: string): bigint => pfnToCr3of64(BigInt(root(Number(cr3ToPfn64(value)), what)))
  view.setBigUint64(cr3, convert(view.getBigUint64(cr3, true), 'cr3'), true)
  const user = view.getBigUint64(VCPU_CR1_64, true)
  if ((user & 1n) !== 0n) view.setBigUint64(VCPU_CR1_64, convert(user, 'cr1'), true)
}
