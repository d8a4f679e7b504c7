import { hasContent, PAGE, PageMap } from '@xen-replication/format'

/** No frame of that pfn. */
const NONE = -1

/** What is known of a PV guest's pages: where each lies, and its type. */
export class PvPages {
  readonly #p2m = new PageMap(Float64Array)
  readonly #types = new PageMap()
  #maxPfn = -1

  /** Highest pfn the guest has, as X86_PV_P2M_FRAMES told; -1 before. */
  get maxPfn(): number {
    return this.#maxPfn
  }

  reach(pfn: number): void {
    this.#maxPfn = Math.max(this.#maxPfn, pfn)
  }

  place(pfn: number, mfn: number): void {
    this.#p2m.set(pfn, mfn)
  }

  /** @returns -1 where the guest has no page. */
  mfn(pfn: number): number {
    return this.#p2m.get(pfn) ?? NONE
  }

  setType(pfn: number, type: number): void {
    this.#types.set(pfn, type)
  }

  /** Every pfn that has a type, ascending. */
  types(): Iterable<readonly [pfn: number, type: number]> {
    return this.#types.entries()
  }

  /** Frame of a page of ordinary content; -1 when it is not one. A page that only a page table names is one. */
  ordinary(pfn: number): number {
    return (this.#types.get(pfn) ?? PAGE.NOTAB) === PAGE.NOTAB ? this.mfn(pfn) : NONE
  }

  /** Frame of a page table of that level; -1 when it is not one. */
  table(pfn: number, level: number): number {
    const type = this.#types.get(pfn) ?? PAGE.NOTAB
    return hasContent(type) && (type & 7) === level ? this.mfn(pfn) : NONE
  }
}
