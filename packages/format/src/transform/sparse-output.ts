import { PAGE_SIZE } from '../bytes/limits.ts'
import { FormatError } from '../format-error.ts'
import type { ImageBytes } from './image-bytes.ts'
import { memoryOf } from './page-contents.ts'
import type { PageIndex } from './page-index.ts'

/** A file whose bytes are zero where nothing is written. */
export interface SparseOutput {
  /** Bytes of the file. */
  readonly size: number
  /** Pages of guest memory in it. */
  readonly pages: number
  /** What to write, ascending; a piece is valid until the next one is asked for. */
  readonly pieces: () => Generator<{ readonly at: number; readonly bytes: Uint8Array }, void, void>
}

export interface MemoryLimits {
  /** Largest file that may come out, in bytes; holes count. */
  readonly maxBytes: number
}

/**
 * A guest's memory as a flat file: the page of pfn N at byte 4096 × N.
 *
 * Pages of PV guests are in pseudo-physical order, and their page tables hold pseudo-physical frame numbers, as in the image.
 *
 * @throws FormatError FMT_PFN_RANGE when the file would be larger than allowed.
 */
export function flatMemory(image: ImageBytes, pages: PageIndex, limits: MemoryLimits): SparseOutput {
  const { count, end } = extentOf(pages)
  const size = checkedSize(end * PAGE_SIZE, end, limits)
  return {
    size,
    pages: count,
    pieces: function* () {
      for (const { pfn, bytes } of memoryOf(image, pages.contents())) yield { at: pfn * PAGE_SIZE, bytes }
    },
  }
}

/** @returns pages with content, and one above the highest pfn among them. */
function extentOf(pages: PageIndex): { readonly count: number; readonly end: number } {
  let count = 0
  let end = 0
  for (const { pfn } of pages.contents()) {
    count++
    end = pfn + 1
  }
  return { count, end }
}

/** @throws FormatError FMT_PFN_RANGE */
export function checkedSize(size: number, end: number, { maxBytes }: MemoryLimits): number {
  if (size <= maxBytes) return size
  throw new FormatError('FMT_PFN_RANGE', `the highest pfn, 0x${(end - 1).toString(16)}, makes a file of ${size} bytes, more than the ${maxBytes} allowed`, {
    hint: 'if the guest is really that large, allow more with `--max-size`; otherwise the image is damaged',
  })
}
