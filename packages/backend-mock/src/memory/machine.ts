import { PAGE_SIZE, type MachineMap } from '@xen-replication/hypervisor'
import { hash32 } from '../random.ts'

/** Frames of an extent, what a guest is given at a time: 2 MiB. */
export const EXTENT_FRAMES = 512
const EXTENT_SHIFT = 9
/** No frame, no pfn. */
export const INVALID = 0xffffffff

/** The first extents belong to Xen: 128 MiB. */
const XEN_EXTENTS = 64
/** Where Xen keeps what guests get to see, by frame: shared_info pages, its slots in page tables, the small M2P. */
const SHARED_INFO = 0x1000
const SHARED_INFO_PAGES = 0x1000
const SLOTS = 0x3000
const COMPAT_M2P = 0x4000
const FREE = 0
const XEN = -1

/** Owner of each extent. */
export interface Holding {
  readonly domId: number
  readonly extents: readonly number[]
}

/** Memory of the whole host: who owns which machine frame, and what it is to them. */
export class Machine implements MachineMap {
  readonly maxMfn: number
  readonly compatFirstMfn = COMPAT_M2P
  readonly #owner: Int32Array
  /** pfns of an extent's frames, by extent. */
  readonly #m2p: (Uint32Array | undefined)[]
  readonly #seed: number

  constructor(memoryBytes: number, seed: number) {
    const extents = Math.max(Math.floor(memoryBytes / PAGE_SIZE / EXTENT_FRAMES), XEN_EXTENTS + 1)
    this.#owner = new Int32Array(extents)
    this.#owner.fill(XEN, 0, XEN_EXTENTS)
    this.#m2p = new Array<Uint32Array | undefined>(extents).fill(undefined)
    this.maxMfn = extents * EXTENT_FRAMES - 1
    this.#seed = seed
  }

  /** Extents nobody has. */
  get free(): number {
    return this.#owner.reduce((count, owner) => count + (owner === FREE ? 1 : 0), 0)
  }

  /** Learns anew who owns what. */
  know(holdings: Iterable<Holding>): void {
    const before = this.#owner.slice()
    this.#owner.fill(FREE, XEN_EXTENTS)
    for (const { domId, extents } of holdings) for (const extent of extents) this.#owner[extent] = domId
    before.forEach((owner, extent) => {
      if (owner !== this.#owner[extent]) this.#m2p[extent] = undefined
    })
  }

  /** Gives a guest extents from all over the host; undefined when there are not enough. */
  claim(domId: number, count: number): number[] | undefined {
    if (count > this.free) return undefined
    const taken: number[] = []
    const total = this.#owner.length
    for (let n = 0; taken.length < count; n += 1) {
      let extent = hash32(this.#seed, domId, n) % total
      while (this.#owner[extent] !== FREE) extent = (extent + 1) % total
      this.#owner[extent] = domId
      taken.push(extent)
    }
    return taken
  }

  release(domId: number): void {
    this.#owner.forEach((owner, extent) => {
      if (owner !== domId) return
      this.#owner[extent] = FREE
      this.#m2p[extent] = undefined
    })
  }

  /** pfn of a frame for a PV guest of this process; {@link INVALID} for all others. */
  pfn(mfn: number): number {
    return mfn <= this.maxMfn ? (this.#m2p[mfn >>> EXTENT_SHIFT]?.[mfn % EXTENT_FRAMES] ?? INVALID) : INVALID
  }

  setPfn(mfn: number, pfn: number): void {
    const chunk = (this.#m2p[mfn >>> EXTENT_SHIFT] ??= new Uint32Array(EXTENT_FRAMES).fill(INVALID))
    chunk[mfn % EXTENT_FRAMES] = pfn
  }

  /** Frame of a guest's shared_info page, which is Xen's, not the guest's. */
  sharedInfoFrame(domId: number): number {
    return SHARED_INFO + (domId % SHARED_INFO_PAGES)
  }

  /** A frame of Xen's own that stands in one of its slots of a page table. */
  slotFrame(slot: number): number {
    return SLOTS + slot
  }
}
