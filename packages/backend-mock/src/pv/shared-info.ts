import { cr3Of, type Width } from './layout.ts'

/** Bytes from the start of the page: arch_shared_info, and the time of vCPU 0. Source: public xen.h, shared_info. */
const FIELDS = {
  8: { maxPfn: 3088, list: 3096, cr3: 3112, address: 3120, generation: 3128, mask: 2560, maskBytes: 512, wallClock: 3072, time: 32 },
  4: { maxPfn: 2316, list: 2320, cr3: 2328, address: 2332, generation: 2336, mask: 2176, maskBytes: 128, wallClock: 2304, time: 32 },
} as const

/** Where a guest keeps its p2m, as it tells the saver. */
export interface P2mPlace {
  readonly maxPfn: number
  /** Frame of the tree's top; 0 when the list is linear. */
  readonly tree: number
  /** The linear list: frame of the page table to walk, and address. */
  readonly linear: { readonly topTable: number; readonly address: { readonly low: number; readonly high: number } } | undefined
}

/** Fills the page of a new guest: all events masked, clocks set. */
export function createSharedInfo(page: Uint8Array, width: Width, bootMs: number): void {
  const { mask, maskBytes, wallClock } = FIELDS[width]
  page.fill(0xff, mask, mask + maskBytes)
  const view = viewOf(page)
  view.setUint32(wallClock, 2, true)
  view.setUint32(wallClock + 4, Math.floor(bootMs / 1000) >>> 0, true)
}

/** The guest says where its p2m is. */
export function tellP2m(page: Uint8Array, width: Width, { maxPfn, tree, linear }: P2mPlace): void {
  const at = FIELDS[width]
  const view = viewOf(page)
  const put = (offset: number, { low, high }: { readonly low: number; readonly high: number }): void => {
    view.setUint32(offset, low, true)
    if (width === 8) view.setUint32(offset + 4, high, true)
  }
  put(at.maxPfn, { low: maxPfn, high: 0 })
  put(at.list, { low: tree, high: 0 })
  put(at.cr3, linear === undefined ? { low: 0, high: 0 } : cr3Of(linear.topTable, width))
  put(at.address, linear?.address ?? { low: 0, high: 0 })
  put(at.generation, { low: linear === undefined ? 0 : 2, high: 0 })
}

/** How the guest lists its pages: by the address of a linear list, unless it has none. */
export function listIn(page: Uint8Array, width: Width): 'linear' | 'tree' {
  const { address } = FIELDS[width]
  const view = viewOf(page)
  return view.getUint32(address, true) === 0 && (width === 4 || view.getUint32(address + 4, true) === 0) ? 'tree' : 'linear'
}

/** The linear list is reached through another page table now. */
export function renewList(page: Uint8Array, width: Width, topTable: number): void {
  const { low, high } = cr3Of(topTable, width)
  const view = viewOf(page)
  view.setUint32(FIELDS[width].cr3, low, true)
  if (width === 8) view.setUint32(FIELDS[width].cr3 + 4, high, true)
}

/** Xen tells the time: nanoseconds the guest has been up, in vCPU 0's part. */
export function tellTime(page: Uint8Array, width: Width, upUs: number): void {
  const view = viewOf(page)
  const { time } = FIELDS[width]
  view.setUint32(time, (upUs % 2 ** 31) * 2, true) // the version: even, and another each time
  view.setBigUint64(time + 16, BigInt(upUs) * 1000n, true)
}

const viewOf = (page: Uint8Array): DataView => new DataView(page.buffer, page.byteOffset, page.byteLength)
