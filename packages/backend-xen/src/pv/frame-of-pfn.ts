import { PAGE_SIZE } from '@xen-replication/hypervisor'
import type { Platform } from '../platform/platform.ts'

/** Where the page that a PV guest shares with Xen tells of its p2m, in bytes. Source: public/arch-x86/xen.h struct arch_shared_info. */
const PLACES = { 8: { listOfLists: 3096, root: 3112, address: 3120 }, 4: { listOfLists: 2320, root: 2328, address: 2332 } } as const
/** Bits 12 to 51 of a page table entry. */
const FRAME_BITS = 2 ** 40
const PRESENT = 1n

/** Finds where single pages of a PV guest lie, by its own table. */
export class FrameOfPfn {
  readonly #platform: Platform
  readonly #domId: number
  readonly #width: 4 | 8
  readonly #sharedInfo: number

  constructor(platform: Platform, domId: number, width: 4 | 8, sharedInfo: number) {
    this.#platform = platform
    this.#domId = domId
    this.#width = width
    this.#sharedInfo = sharedInfo
  }

  /** @returns undefined where the table has none. @throws BackendError BACKEND_MAP when the table leads out of the guest */
  mfn(pfn: number): number | undefined {
    const places = PLACES[this.#width]
    const root = tableFrame(this.#wide(this.#sharedInfo, places.root), this.#width)
    const leaf = root === 0 ? this.#leafByTree(pfn, this.#word(this.#sharedInfo, places.listOfLists)) : this.#leafByList(pfn, root, this.#wide(this.#sharedInfo, places.address))
    if (leaf === undefined) return undefined
    const mfn = this.#word(leaf, (pfn % this.#perPage) * this.#width)
    return mfn >= FRAME_BITS || (this.#width === 4 && mfn === 0xffffffff) ? undefined : mfn
  }

  get #perPage(): number {
    return PAGE_SIZE / this.#width
  }

  #leafByTree(pfn: number, top: number): number | undefined {
    const per = this.#perPage
    if (top === 0 || pfn >= per ** 3) return undefined
    const list = this.#word(top, Math.floor(pfn / per ** 2) * this.#width)
    return this.#word(list, (Math.floor(pfn / per) % per) * this.#width)
  }

  #leafByList(pfn: number, root: number, address: bigint): number | undefined {
    const at = address + BigInt(pfn * this.#width)
    let frame = root
    for (let level = this.#width === 8 ? 4 : 3; level > 0; level--) {
      const entry = this.#entry(frame, Number((at >> BigInt(9 * level + 3)) & 511n))
      if ((entry & PRESENT) === 0n) return undefined
      frame = Number((entry >> 12n) & BigInt(FRAME_BITS - 1))
    }
    return frame
  }

  #word(frame: number, at: number): number {
    return this.#look(frame, (view) => readWord(view, at, this.#width))
  }

  /** Above 2^53 an address would be rounded. */
  #wide(frame: number, at: number): bigint {
    return this.#look(frame, (view) => (this.#width === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))))
  }

  #entry(frame: number, index: number): bigint {
    return this.#look(frame, (view) => view.getBigUint64(index * 8, true))
  }

  #look<T>(frame: number, look: (view: DataView) => T): T {
    const pages = this.#platform.foreign.map(this.#domId, BigUint64Array.of(BigInt(frame)), 'read')
    try {
      return look(new DataView(pages.bytes.buffer, pages.bytes.byteOffset, pages.bytes.length))
    } finally {
      pages.unmap()
    }
  }
}

/** The frame in a root register: of 32-bit guests with its upper bits below. Source: public/arch-x86/xen-x86_{64,32}.h xen_cr3_to_pfn(). */
function tableFrame(root: bigint, width: 4 | 8): number {
  if (width === 8) return Number(root >> 12n)
  const value = Number(root)
  return ((value >>> 12) | (value << 20)) >>> 0
}

/** A word of the guest. */
export const readWord = (view: DataView, at: number, width: 4 | 8): number => (width === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true))

export function writeWord(view: DataView, at: number, width: 4 | 8, value: number): void {
  if (width === 8) view.setBigUint64(at, BigInt(value), true)
  else view.setUint32(at, value, true)
}
