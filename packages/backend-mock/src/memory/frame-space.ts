import type { Run } from './pfn-set.ts'

/** Which pages a guest has, and how they are asked for from outside. */
export interface FrameSpace {
  /** Pages the guest owns. */
  readonly pages: number
  /** One above the highest pfn. */
  readonly top: number
  /** pfn of what a foreign mapping asks for (mfn of a PV guest, gfn of an HVM guest); -1 when it is not the guest's. */
  locate(frame: number): number
  /** The frame that foreign mappings ask for; undefined when the guest has no page there. */
  frame(pfn: number): number | undefined
  /** Which pfns have pages, ascending. */
  runs(): Run[]
  /** Gives the guest a page at `pfn`, where it has none. */
  populate(pfn: number): number
  /** Gives it 512 pages that lie side by side; undefined when there is no such place. */
  populateRun(pfn: number): number | undefined
  /** Extents that populating `count` more pages, or runs of 512 of them, takes. */
  extentsFor(count: number, order: 0 | 9): number
  /** More room to take pages from. */
  grant(extents: readonly number[]): void
}

/** Highest pfn the simulation takes, in pages: 64 GiB of guest address space. */
export const MAX_PFNS = 2 ** 24
