import { pageNumber } from './pte.ts'

/** Bytes of a guest word. */
export type Width = 4 | 8

/** Pages that every simulated PV guest has at the same place. The state and counter pages are at 16 and 17. */
export const PV_PAGES = { startInfo: 1, store: 2, console: 3, gdt: 4, stack: 5, text: 6 } as const
/** The first page behind those. */
export const PV_FIRST_FREE = 32

/** Where things are in a guest's virtual memory, as page numbers (address / 4096). */
export interface VirtualLayout {
  readonly levels: 3 | 4
  /** All of memory, or as much as there is room for. */
  readonly direct: number
  readonly directPages: number
  /** The linear p2m list. */
  readonly p2m: number
  /** Where shared_info is mapped while the guest runs. */
  readonly fixed: number
  /** Memory of a process. */
  readonly user: number
}

/** Where a 64-bit Linux has them, roughly. */
const layout64: VirtualLayout = {
  levels: 4,
  direct: pageNumber(272, 0, 0, 0),
  directPages: 2 ** 27,
  p2m: pageNumber(402, 0, 0, 0),
  fixed: pageNumber(511, 511, 510, 0),
  user: pageNumber(0, 0, 2, 0),
}

/** And a 32-bit one: kernel above 3 GiB, 768 MiB of memory mapped. */
const layout32: VirtualLayout = {
  levels: 3,
  direct: 0xc0000,
  directPages: 0x30000,
  p2m: 0xf0000,
  fixed: 0xf5600,
  user: 0x08048,
}

export const layoutOf = (width: Width): VirtualLayout => (width === 8 ? layout64 : layout32)

/** Virtual address of a page number, as the two words of it. */
export function addressOf(page: number, width: Width): { readonly low: number; readonly high: number } {
  const low = (page * 4096) % 2 ** 32
  if (width === 4) return { low, high: 0 }
  const high = Math.floor(page / 2 ** 20) // bits 47 to 32; addresses of the upper half are signed
  return { low, high: page >= 2 ** 35 ? (high | 0xffff0000) >>> 0 : high }
}

/** Entries of a p2m page. */
export const framesPerPage = (width: Width): number => 4096 / width

/** What a control register holds for a page table; in 32-bit guests the number is rotated so that it fits. Source: public arch-x86/xen.h. */
export function cr3Of(mfn: number, width: Width): { readonly low: number; readonly high: number } {
  if (width === 8) return { low: (mfn * 4096) % 2 ** 32, high: Math.floor(mfn / 2 ** 20) }
  return { low: ((mfn << 12) | (mfn >>> 20)) >>> 0, high: 0 }
}

/** And back. */
export function mfnOfCr3(low: number, high: number, width: Width): number {
  return width === 8 ? high * 2 ** 20 + (low >>> 12) : ((low >>> 12) | (low << 20)) >>> 0
}
