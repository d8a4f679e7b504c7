import { describe, expect, it } from 'vitest'
import { mergedRuns, runsOf } from '../../src/transform/pfn-runs.ts'

describe('runs of pages', () => {
  const pages = [0, 1, 2, 5, 7, 100, 101].map((pfn) => ({ pfn }))
  const runs = [{ from: 0, count: 3 }, { from: 5, count: 1 }, { from: 7, count: 1 }, { from: 100, count: 2 }]

  it('are consecutive pfns', () => expect(runsOf(pages)).toEqual(runs))

  it('are joined over the smallest gaps until they are few enough', () => {
    expect(mergedRuns(runs, 4)).toEqual(runs)
    expect(mergedRuns(runs, 3)).toEqual([{ from: 0, count: 3 }, { from: 5, count: 3 }, { from: 100, count: 2 }])
    expect(mergedRuns(runs, 2)).toEqual([{ from: 0, count: 8 }, { from: 100, count: 2 }])
    expect(mergedRuns(runs, 1)).toEqual([{ from: 0, count: 102 }])
  })
})
