import { PAGE_SIZE } from '../bytes/limits.ts'
import { hasContent, PAGE, pageTypeName, type PageData } from '../libxc/page-data.ts'
import { PageMap } from './page-map.ts'

/** The guest's memory as far as page tables of records tell: no page is read for it. */
export interface MemorySummary {
  /** PAGE_DATA records. */
  readonly batches: number
  /** Entries in them; a page sent twice counts twice. */
  readonly entries: number
  /** Pages whose content was sent; counted as above. */
  readonly contents: number
  /** Different pfns that occur. */
  readonly pfns: number
  /** One above the highest of them. */
  readonly pfnEnd: number
  /** Pfns that a restorer gives memory to. */
  readonly populated: number
  /** `populated` in bytes. */
  readonly bytes: number
  /** Pfns by the type that came last. */
  readonly types: Readonly<Record<string, number>>
}

const KNOWN = 0x10
const TYPES = 16

/** Counts pages by pfn. */
export class MemoryTally {
  readonly #types = new PageMap()
  readonly #byType = new Float64Array(TYPES)
  #batches = 0
  #entries = 0
  #contents = 0
  #populated = 0

  add(pages: PageData): void {
    this.#batches++
    this.#entries += pages.count
    this.#contents += pages.contents
    for (let i = 0; i < pages.count; i++) this.#page(pages.pfn(i), pages.type(i))
  }

  finish(): MemorySummary {
    const types = [...this.#byType.entries()].filter(([, count]) => count > 0)
    return {
      batches: this.#batches,
      entries: this.#entries,
      contents: this.#contents,
      pfns: this.#types.size,
      pfnEnd: this.#types.end,
      populated: this.#populated,
      bytes: this.#populated * PAGE_SIZE,
      types: Object.fromEntries(types.map(([type, count]) => [pageTypeName(type), count])),
    }
  }

  /** A pfn that was given memory once keeps it, whatever comes later. */
  #page(pfn: number, type: number): void {
    const fills = hasContent(type) || type === PAGE.XALLOC ? KNOWN : 0
    const before = this.#types.set(pfn, type | fills)
    this.#count(type, 1)
    if (before === undefined) {
      if (fills !== 0) this.#populated++
      return
    }
    this.#count(before % TYPES, -1)
    if (before >= KNOWN) this.#types.set(pfn, type | KNOWN)
    else if (fills !== 0) this.#populated++
  }

  #count(type: number, by: number): void {
    this.#byType[type] = (this.#byType[type] as number) + by
  }
}
