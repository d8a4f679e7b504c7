import { PAE_TOP_ENTRIES, ENTRIES, PTE, XEN_L4_SLOTS, XEN_PAE_L2_SLOTS, frameOf, highOf, lowOf } from './pte.ts'

/** What a page is in use as, besides the page tables 1 to 4. A page is one thing at a time, as often as it is used so. */
export const USE = { NONE: 0, SEGMENTS: 5, WRITABLE: 6 } as const

/** The guest may not have that page table. */
export class RefusedTable extends Error {
  override readonly name = 'RefusedTable'
}

/** What the rules need to know of a guest. */
export interface TableView {
  readonly levels: 3 | 4
  /** The table's 1024 words. */
  words(pfn: number): Uint32Array
  /** pfn of a machine frame, -1 when the guest does not own it. */
  locate(mfn: number): number
  mfn(pfn: number): number
  /** Frames that the guest does not own but may map: its shared_info page. */
  readonly lent: number
  /** Frame that Xen puts into one of its slots, 0 for none. */
  slotFrame(slot: number): number
  /**
   * A page of the guest is about to change: an entry that the guest asked for, or one of Xen's slots. `type`: it has become a page table or is none
   * any more, which counts as written although nothing is. Source: xen/arch/x86/mm.c, alloc_page_type, free_page_type.
   */
  touched(pfn: number, by: 'guest' | 'xen' | 'type'): void
}

/**
 * Types of a PV guest's pages, counted as Xen counts them: a page becomes a page table when one that is in use names it, each of its
 * entries is checked then, and a page table is never mapped writable. Source: xen/arch/x86/mm.c get_page_type, alloc_l1_table….
 */
export class PageTypes {
  readonly #view: TableView
  #use = new Uint8Array(0)
  #count = new Uint32Array(0)
  readonly #pinned = new Map<number, number>()

  constructor(view: TableView) {
    this.#view = view
  }

  /** Type as Xen reports it: 0, or the level with 8 for pinned. */
  nibble(pfn: number): number {
    const use = this.use(pfn)
    return use >= 1 && use <= 4 ? use | (this.#pinned.has(pfn) ? 8 : 0) : 0
  }

  use(pfn: number): number {
    return this.#use[pfn] ?? USE.NONE
  }

  /** Pinned tables, pfn and level. */
  pinned(): (readonly [pfn: number, level: number])[] {
    return [...this.#pinned]
  }

  /** Makes a table one of `level` and keeps it so. @throws RefusedTable and changes nothing. */
  pin(pfn: number, level: number): void {
    if (this.#pinned.has(pfn)) throw new RefusedTable(`page ${pfn} is pinned already`)
    this.get(pfn, level)
    this.#pinned.set(pfn, level)
  }

  unpin(pfn: number): void {
    if (!this.#pinned.delete(pfn)) throw new RefusedTable(`page ${pfn} is not pinned`)
    this.put(pfn)
  }

  /** Uses a page as something, once more. @throws RefusedTable when it is in use as something else, or no good table. */
  get(pfn: number, use: number): void {
    if (pfn >= this.#use.length) this.#grow(pfn)
    const now = this.#use[pfn]
    if (now !== USE.NONE && now !== use) throw new RefusedTable(`page ${pfn} is in use as ${name(now)}, so it cannot be ${name(use)}`)
    this.#use[pfn] = use
    this.#count[pfn] = (this.#count[pfn] as number) + 1
    if (now !== USE.NONE || use > 4) return
    try {
      this.#take(pfn, use)
    } catch (cause) {
      this.#release(pfn)
      throw cause
    }
    this.#view.touched(pfn, 'type')
  }

  /** Undoes one `get()`. */
  put(pfn: number): void {
    const use = this.use(pfn)
    if (!this.#release(pfn) || use > 4) return
    this.#drop(pfn, use, this.#entries(use))
    this.#view.touched(pfn, 'type')
  }

  /** Changes an entry of a table in use. @throws RefusedTable and changes nothing. */
  write(pfn: number, index: number, low: number, high: number): void {
    const level = this.use(pfn)
    if (level < 1 || level > 4) throw new RefusedTable(`page ${pfn} is no page table`)
    const words = this.#view.words(pfn)
    const [oldLow, oldHigh] = [words[index * 2] as number, words[index * 2 + 1] as number]
    this.#getEntry(level, low, high)
    this.#view.touched(pfn, 'guest')
    words[index * 2] = low
    words[index * 2 + 1] = high
    this.#putEntry(level, oldLow, oldHigh)
  }

  #take(pfn: number, level: number): void {
    const words = this.#view.words(pfn)
    const entries = this.#entries(level)
    for (let i = 0; i < entries; i += 1) {
      if (this.#isXens(level, i)) continue
      const low = words[i * 2] as number
      if ((low & PTE.PRESENT) === 0) continue
      if (level === 2 && this.#hasXenSlots(words, i)) break
      try {
        this.#getEntry(level, low, words[i * 2 + 1] as number)
      } catch (cause) {
        this.#drop(pfn, level, i)
        throw new RefusedTable(`entry ${i} of the L${level} table in page ${pfn}: ${(cause as Error).message}`)
      }
      if (this.#view.levels === 3 && level === 3 && i === 3) this.#fillCompatSlots(this.#target(low, words[i * 2 + 1] as number))
    }
    if (level === 4) this.#fillTopSlots(pfn)
  }

  /** Lets go what the first `upTo` entries name. */
  #drop(pfn: number, level: number, upTo: number): void {
    const words = this.#view.words(pfn)
    for (let i = 0; i < upTo; i += 1) {
      if (this.#isXens(level, i)) continue
      if (level === 2 && this.#hasXenSlots(words, i)) return
      this.#putEntry(level, words[i * 2] as number, words[i * 2 + 1] as number)
    }
  }

  #getEntry(level: number, low: number, high: number): void {
    if ((low & PTE.PRESENT) === 0) return
    const frame = frameOf(low, high)
    if (level === 1 && frame === this.#view.lent) return
    if (level > 1 && (low & PTE.LARGE) !== 0) throw new RefusedTable('a large page')
    const target = this.#view.locate(frame)
    if (target < 0) throw new RefusedTable(`frame 0x${frame.toString(16)} is not the guest's`)
    if (level > 1) {
      if (!this.#isLinear(level, target, low)) this.get(target, level - 1)
    } else if ((low & PTE.WRITE) !== 0) this.get(target, USE.WRITABLE)
  }

  #putEntry(level: number, low: number, high: number): void {
    if ((low & PTE.PRESENT) === 0) return
    const target = this.#target(low, high)
    if (target < 0 || this.use(target) === USE.NONE) return
    if (level > 1) {
      if (!this.#isLinear(level, target, low)) this.put(target)
    } else if ((low & PTE.WRITE) !== 0) this.put(target)
  }

  /** A table that names one of its own level, read-only, so that the guest sees its tables as memory. */
  #isLinear(level: number, target: number, low: number): boolean {
    return this.use(target) === level && (low & PTE.WRITE) === 0
  }

  #target(low: number, high: number): number {
    return this.#view.locate(frameOf(low, high))
  }

  #release(pfn: number): boolean {
    const left = (this.#count[pfn] as number) - 1
    this.#count[pfn] = left
    if (left === 0) this.#use[pfn] = USE.NONE
    return left === 0
  }

  #entries(level: number): number {
    return level === 3 && this.#view.levels === 3 ? PAE_TOP_ENTRIES : ENTRIES
  }

  #isXens(level: number, index: number): boolean {
    return level === 4 && index >= XEN_L4_SLOTS.first && index <= XEN_L4_SLOTS.last
  }

  /** Xen's part of a 32-bit guest's last L2 table begins here: recognised by what Xen has put there. */
  #hasXenSlots(words: Uint32Array, index: number): boolean {
    const { first } = XEN_PAE_L2_SLOTS
    return this.#view.levels === 3 && index === first && frameOf(words[first * 2] as number, words[first * 2 + 1] as number) === this.#view.slotFrame(first)
  }

  #fillTopSlots(pfn: number): void {
    this.#view.touched(pfn, 'xen')
    const words = this.#view.words(pfn)
    for (let slot: number = XEN_L4_SLOTS.first; slot <= XEN_L4_SLOTS.last; slot += 1) {
      const frame = slot === XEN_L4_SLOTS.first + 2 ? this.#view.mfn(pfn) : this.#view.slotFrame(slot)
      putSlot(words, slot, frame, PTE.PRESENT | PTE.WRITE | PTE.ACCESSED | PTE.DIRTY)
    }
  }

  #fillCompatSlots(pfn: number): void {
    this.#view.touched(pfn, 'xen')
    const words = this.#view.words(pfn)
    for (let slot: number = XEN_PAE_L2_SLOTS.first; slot <= XEN_PAE_L2_SLOTS.last; slot += 1) {
      putSlot(words, slot, this.#view.slotFrame(slot), PTE.PRESENT | PTE.USER | PTE.ACCESSED | PTE.LARGE)
    }
  }

  #grow(pfn: number): void {
    const length = Math.max(pfn + 1, this.#use.length * 2, 1024)
    const use = new Uint8Array(length)
    use.set(this.#use)
    this.#use = use
    const count = new Uint32Array(length)
    count.set(this.#count)
    this.#count = count
  }
}

function putSlot(words: Uint32Array, slot: number, frame: number, flags: number): void {
  words[slot * 2] = frame === 0 ? 0 : lowOf(frame, flags)
  words[slot * 2 + 1] = frame === 0 ? 0 : highOf(frame)
}

const name = (use: number | undefined): string => (use === USE.WRITABLE ? 'writable memory' : use === USE.SEGMENTS ? 'a descriptor table' : `an L${use} table`)
