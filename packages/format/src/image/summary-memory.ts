import { PAGE_SIZE } from '../bytes/limits.ts'
import { hasContent, PAGE, pageTypeName, type PageData } from '../libxc/page-data.ts'
import { RunMap } from './run-map.ts'

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
  readonly #types = new RunMap()
  readonly #byType = new Float64Array(TYPES)
  #batches = 0
  #entries = 0
  #contents = 0
  #populated = 0

  /** Takes entries in runs of pfns that follow each other and are of one type. */
  add(pages: PageData): void {
    this.#batches++
    this.#entries += pages.count
    this.#contents += pages.contents
    const { entries, count } = pages
    const words = new Uint32Array(entries.buffer, entries.byteOffset, 2 * count)
    for (let i = 0; i < count; ) {
      const first = i++
      const high = words[2 * first + 1]
      while (i < count && words[2 * i + 1] === high && words[2 * i] === (words[2 * i - 2] as number) + 1) i++
      this.#run(pages.pfn(first), i - first, pages.type(first))
    }
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

  #run(pfn: number, count: number, type: number): void {
    const fills = hasContent(type) || type === PAGE.XALLOC ? KNOWN : 0
    this.#count(type, count)
    if (this.#types.append(pfn, count, type | fills)) {
      if (fills !== 0) this.#populated += count
      return
    }
    for (let i = 0; i < count; i++) this.#again(pfn + i, type, fills)
  }

  /** A pfn that was given memory once keeps it, whatever comes later. */
  #again(pfn: number, type: number, fills: number): void {
    const before = this.#types.set(pfn, type | fills)
    if (before !== undefined) this.#count(before % TYPES, -1)
    if (before !== undefined && before >= KNOWN) this.#types.set(pfn, type | KNOWN)
    else if (fills !== 0) this.#populated++
  }

  #count(type: number, by: number): void {
    this.#byType[type] = (this.#byType[type] as number) + by
  }
}
