import { PAGE_SIZE } from '../bytes/limits.ts'
import { PageMap } from '../image/page-map.ts'
import type { Reread } from './finding.ts'

/** What a start_info page begins with on x86: "xen-3.0-x86_64" or "xen-3.0-x86_32p". */
const START_INFO_MAGIC = Uint8Array.from('xen-3.', (c) => c.charCodeAt(0))
/** Look-alikes kept; a guest has one start_info page. */
const KEPT = 64

/** Finds a page of a PV guest again when a vCPU turns out to point to it. */
export interface PageRecall {
  /** Whether page contents have to be shown to `note()`; without, their places do. */
  readonly needsContents: boolean
  note(pfn: number, offset: number, page: Uint8Array | undefined): void
  /** The last content of a page, or undefined when it cannot be had again. */
  recall(pfn: number): Promise<Uint8Array | undefined>
}

/** For a source that can go back: remembers where each page stands. */
export function recallByPlace(reread: Reread): PageRecall {
  const places = new PageMap(Float64Array)
  return {
    needsContents: false,
    note: (pfn, offset) => void places.set(pfn, offset),
    recall: async (pfn) => {
      const offset = places.get(pfn)
      const page = offset === undefined ? undefined : await reread(offset, PAGE_SIZE)
      return page?.length === PAGE_SIZE ? page : undefined // less when the file was cut meanwhile
    },
  }
}

/** For a stream that goes by once: keeps pages that look like a start_info page. */
export function recallByLook(): PageRecall {
  const kept = new Map<number, Uint8Array>()
  return {
    needsContents: true,
    note: (pfn, _offset, page) => {
      kept.delete(pfn)
      if (page === undefined || !START_INFO_MAGIC.every((byte, i) => page[i] === byte)) return
      kept.set(pfn, page.slice())
      for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest)
    },
    recall: (pfn) => Promise.resolve(kept.get(pfn)),
  }
}
