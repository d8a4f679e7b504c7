import { PAGE_SIZE } from '../bytes/limits.ts'
import type { ImageBytes } from './image-bytes.ts'
import type { PageVersion } from './page-index.ts'

/** Most pages read at once. */
export const PAGES_AT_ONCE = 256

/** Memory for `readPages()`. */
export const pageBuffer = (): Uint8Array => new Uint8Array(PAGES_AT_ONCE * PAGE_SIZE)

/**
 * Reads page contents in the order given, neighbours in the image in one go.
 *
 * @param pages up to 256 that have content, as `held` says; one whose `at` is 0 is zero.
 * @param into from `pageBuffer()`.
 * @returns the pages behind each other, a part of `into`.
 */
export function readPages(image: ImageBytes, pages: readonly PageVersion[], into: Uint8Array): Uint8Array {
  for (let i = 0; i < pages.length; ) {
    const { at } = pages[i] as PageVersion
    const run = at === 0 ? 1 : runLength(pages, i, at)
    const part = into.subarray(i * PAGE_SIZE, (i + run) * PAGE_SIZE)
    if (at === 0) part.fill(0)
    else image.pread(at, part.length, part)
    i += run
  }
  return into.subarray(0, pages.length * PAGE_SIZE)
}

function runLength(pages: readonly PageVersion[], from: number, at: number): number {
  let run = 1
  while (pages[from + run]?.at === at + run * PAGE_SIZE) run++
  return run
}

/** The contents of any number of pages in pieces; a piece is valid until the next one is asked for. */
export function* contentsOf(image: ImageBytes, pages: readonly PageVersion[]): Generator<Uint8Array, void, void> {
  const buffer = pageBuffer()
  for (let i = 0; i < pages.length; i += PAGES_AT_ONCE) yield readPages(image, pages.slice(i, i + PAGES_AT_ONCE), buffer)
}

/** Contents of pages with consecutive pfns. */
export interface PageStretch {
  /** The first pfn. */
  readonly pfn: number
  /** Whole pages. Valid until the next stretch is asked for. */
  readonly bytes: Uint8Array
}

/** All contents of a guest's memory by pfn, ascending, in stretches of up to 256 pages. */
export function* memoryOf(image: ImageBytes, pages: Iterable<PageVersion>): Generator<PageStretch, void, void> {
  const buffer = pageBuffer()
  let stretch: PageVersion[] = []
  for (const page of pages) {
    const [first] = stretch
    if (first !== undefined && (page.pfn !== first.pfn + stretch.length || stretch.length === PAGES_AT_ONCE)) {
      yield { pfn: first.pfn, bytes: readPages(image, stretch, buffer) }
      stretch = []
    }
    stretch.push(page)
  }
  const [first] = stretch
  if (first !== undefined) yield { pfn: first.pfn, bytes: readPages(image, stretch, buffer) }
}
