import { describe, expect } from 'vitest'
import { fc, it } from '@fast-check/vitest'
import { Measure } from '../../src/report/measure.ts'
import { Series } from '../../src/report/series.ts'

describe('a plot of a long run', () => {
  it.prop([fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 400 }), fc.integer({ min: 2, max: 12 })])(
    'keeps the least and the most of all, at their times, in the order of time and in bounded memory',
    (values, limit) => {
      const series = new Series(limit)
      values.forEach((value, at) => series.add(at, value))
      const points = series.points()
      expect(points.length).toBeLessThanOrEqual(2 * limit)
      expect(points.map(({ at }) => at)).toEqual(points.map(({ at }) => at).toSorted((a, b) => a - b))
      for (const { at, value } of points) expect(value).toBe(values[at])
      const seen = points.map(({ value }) => value)
      expect([Math.min(...seen), Math.max(...seen)]).toEqual([Math.min(...values), Math.max(...values)])
    },
  )

  it('shows one that is short value by value', () => {
    const series = new Series()
    for (let at = 0; at < 600; at += 1) series.add(at, at % 7)
    expect(series.points()).toEqual(Array.from({ length: 600 }, (_, at) => ({ at, value: at % 7 })))
  })

  it('keeps one peak among a million values', () => {
    const series = new Series()
    for (let at = 0; at < 1_000_000; at += 1) series.add(at, at === 654_321 ? 900 : 1)
    expect(series.points()).toContainEqual({ at: 654_321, value: 900 })
    expect(series.points().length).toBeLessThanOrEqual(1200)
  })
})

describe('the numbers of a measure', () => {
  it('are those of its values, to three digits', () => {
    const measure = new Measure()
    expect(measure.summary).toBeUndefined()
    for (let i = 1; i <= 1000; i += 1) measure.add(i, i / 10)
    const { count, median, p99, most } = measure.summary ?? expect.fail()
    expect({ count, most }).toEqual({ count: 1000, most: 100 })
    expect(median).toBeCloseTo(50, 0)
    expect(p99).toBeCloseTo(99, 0)
  })

  it('pass over what is no measure', () => {
    const measure = new Measure()
    for (const value of [NaN, -1, Infinity, Number.MAX_VALUE]) measure.add(0, value)
    expect(measure.summary).toBeUndefined()
  })
})
