import { PAGE_BYTES } from './page-delta.ts'

/** Most pages that a side keeps for its peer: 256 MiB. */
export const COPIES_MOST = 65_536
/** Pages of one piece of memory. */
const SLAB_PAGES = 1024

/**
 * The latest copies of pages, of both sides alike: whoever packs and whoever unpacks puts the same pages in the same order, so both have the same.
 * When there is no more room, the page that came in first makes way. Memory grows with pages, up to the room.
 */
export class PageCopies {
  readonly #room: number
  readonly #slotOf = new Map<number, number>()
  readonly #pfnAt: number[] = []
  readonly #slabs: Uint8Array[] = []
  #next = 0

  /** @param room most pages kept; 4 KiB each. */
  constructor(room: number) {
    this.#room = Math.max(0, Math.floor(room))
  }

  get size(): number {
    return this.#slotOf.size
  }

  /** The copy itself: it changes with the next `put`. */
  get(pfn: number): Uint8Array | undefined {
    const slot = this.#slotOf.get(pfn)
    return slot === undefined ? undefined : this.#at(slot)
  }

  put(pfn: number, page: Uint8Array): void {
    if (this.#room === 0) return
    const slot = this.#slotOf.get(pfn) ?? this.#take(pfn)
    this.#at(slot).set(page)
  }

  #take(pfn: number): number {
    const slot = this.#next
    this.#next = (slot + 1) % this.#room
    const former = this.#pfnAt[slot]
    if (former !== undefined) this.#slotOf.delete(former)
    this.#pfnAt[slot] = pfn
    this.#slotOf.set(pfn, slot)
    return slot
  }

  #at(slot: number): Uint8Array {
    const [slab, index] = [Math.floor(slot / SLAB_PAGES), slot % SLAB_PAGES]
    const bytes = (this.#slabs[slab] ??= new Uint8Array(PAGE_BYTES * Math.min(SLAB_PAGES, this.#room - slab * SLAB_PAGES)))
    return bytes.subarray(PAGE_BYTES * index, PAGE_BYTES * (index + 1))
  }
}
