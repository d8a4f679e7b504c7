import type { PageVersion } from '../page-index.ts'

/** Consecutive pfns. */
export interface PfnRun {
  readonly from: number
  readonly count: number
}

/** Runs of consecutive pfns among pages in ascending order. */
export function runsOf(pages: Iterable<Pick<PageVersion, 'pfn'>>): PfnRun[] {
  const runs: { from: number; count: number }[] = []
  for (const { pfn } of pages) {
    const last = runs.at(-1)
    if (last !== undefined && pfn === last.from + last.count) last.count++
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
  const out: { from: number; count: number }[] = []
  for (const { from, count } of runs) {
    const last = out.at(-1)
    if (last !== undefined && from - (last.from + last.count) <= gap) last.count = from + count - last.from
    else out.push({ from, count })
  }
  return out
}
