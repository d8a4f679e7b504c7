import type { PageVersion } from './page-index.ts'

/** Consecutive pfns. */
export interface PfnRun {
  readonly from: number
  readonly count: number
}

/** A run that is still being made. */
export interface GrowingRun extends PfnRun {
  count: number
}

/** Whether this pfn comes right behind the run. */
export const follows = (pfn: number, { from, count }: PfnRun): boolean => pfn === from + count

/** Runs of consecutive pfns among pages in ascending order. */
export function runsOf(pages: Iterable<Pick<PageVersion, 'pfn'>>): PfnRun[] {
  const runs: GrowingRun[] = []
  for (const { pfn } of pages) {
    const last = runs.at(-1)
    if (last !== undefined && follows(pfn, last)) last.count++
    else runs.push({ from: pfn, count: 1 })
  }
  return runs
}

/** Closes gaps between runs, the small ones first, until there are no more than `max`. */
export function mergedRuns(runs: readonly PfnRun[], max: number): readonly PfnRun[] {
  let merged = runs
  for (let gap = 1; merged.length > max; gap *= 2) merged = closed(merged, gap)
  return merged
}

function closed(runs: readonly PfnRun[], gap: number): readonly PfnRun[] {
  const out: GrowingRun[] = []
  for (const { from, count } of runs) {
    const last = out.at(-1)
    if (last !== undefined && from - (last.from + last.count) <= gap) last.count = from + count - last.from
    else out.push({ from, count })
  }
  return out
}
