import { PAGE_SIZE } from '../bytes/limits.ts'
import { hasContent, PAGE, type PageData } from '../libxc/page-data.ts'
import { PfnTable } from './pfn-table.ts'

/** What a restorer has of one pfn when it has read everything. */
export interface PageVersion {
  readonly pfn: number
  /** Type in the last entry for this pfn: what the restorer goes by when it pins page tables. */
  readonly type: number
  /** Type of the entry that filled the page; XALLOC when memory was given to it but no content, XTAB when it has no memory. */
  readonly held: number
  /** Offset of the content in the image. 0 when there is none: then a page that `held` says has content is zero. */
  readonly at: number
}

/** `copy`: contents go into the guest. `verify`: they are only compared, as after a VERIFY record. */
export type PageMode = 'copy' | 'verify'

/**
 * The last version of every page, as places in the image.
 *
 * The last content wins, and memory once given to a pfn stays whatever later entries say. Source: xg_sr_restore.c
 * (populate_pfns, process_page_data).
 */
export class PageIndex {
  readonly #table = new PfnTable()

  /** Pfns that the image names. */
  get size(): number {
    return this.#table.size
  }

  /** Takes the entries of one PAGE_DATA record. @param contentsAt offset of the first page in the image. */
  note(pages: PageData, contentsAt: number, mode: PageMode): void {
    let at = contentsAt
    for (let i = 0; i < pages.count; i++) {
      const type = pages.type(i)
      this.#noteOne(pages.pfn(i), type, at, mode)
      if (hasContent(type)) at += PAGE_SIZE
    }
  }

  get(pfn: number): PageVersion | undefined {
    const packed = this.#table.get(pfn)
    return packed === undefined ? undefined : unpack(pfn, packed)
  }

  /** Every pfn that the image names, ascending. */
  *versions(): Generator<PageVersion, void, void> {
    for (const [pfn, packed] of this.#table.entries()) yield unpack(pfn, packed)
  }

  /** Every pfn that has content, ascending. */
  *contents(): Generator<PageVersion, void, void> {
    for (const version of this.versions()) if (hasContent(version.held)) yield version
  }

  #noteOne(pfn: number, type: number, at: number, mode: PageMode): void {
    const before = this.get(pfn)
    const had = before !== undefined && before.held !== PAGE.XTAB
    if (hasContent(type)) this.#put({ pfn, type, held: type, at: mode === 'copy' ? at : (before?.at ?? 0) })
    else if (had) this.#put({ ...before, type })
    else this.#put({ pfn, type, held: type === PAGE.XALLOC ? PAGE.XALLOC : PAGE.XTAB, at: 0 })
  }

  #put({ pfn, type, held, at }: PageVersion): void {
    this.#table.set(pfn, at * 256 + held * 16 + type)
  }
}

// One number holds it all: offsets have 45 bits, which reaches 32 TiB into an image.
const unpack = (pfn: number, packed: number): PageVersion => {
  const low = packed % 256
  return { pfn, type: low % 16, held: low >>> 4, at: (packed - low) / 256 }
}
