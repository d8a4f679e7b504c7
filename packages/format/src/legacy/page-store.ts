import { PAGE_SIZE } from '../bytes/limits.ts'

/** Page contents by pfn: what the receiver's memory would hold. Pages are 4096 bytes and belong to the store once given; what it gives is not to be changed. */
export interface PageStore {
  /** undefined when it is not held. */
  get(pfn: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
  set(pfn: number, page: Uint8Array): void | Promise<void>
}

/** Twice the 8192 pages that Xen's sender remembers. */
const CACHE_BYTES = 64 * 1024 * 1024

/**
 * Holds the pages used last. That is enough for streams that Xen wrote: its sender compresses against the last 8192 pages that it
 * sent compressed, and sends everything else whole.
 *
 * @param bytes of page contents held at most; the default is 64 MiB.
 */
export function recentPages(bytes: number = CACHE_BYTES): PageStore {
  const pages = new Map<number, Uint8Array>() // in the order in which they were used
  const room = Math.floor(bytes / PAGE_SIZE)
  const use = (pfn: number, page: Uint8Array): void => {
    pages.delete(pfn)
    pages.set(pfn, page)
  }
  return {
    get: (pfn) => {
      const page = pages.get(pfn)
      if (page !== undefined) use(pfn, page)
      return page
    },
    set: (pfn, page) => {
      use(pfn, page)
      for (const oldest of pages.keys()) {
        if (pages.size <= room) break
        pages.delete(oldest)
      }
    },
  }
}
