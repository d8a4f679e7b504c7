import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PageSet } from '../../src/save/page-set.ts'

/** All of a set, by batches of a few. */
function contents(set: PageSet, batch = 7): number[] {
  const into = new Float64Array(batch)
  const walk = set.walk()
  const all: number[] = []
  for (let n = walk.next(into); n > 0; n = walk.next(into)) all.push(...into.subarray(0, n))
  return all
}

describe('a set of pages', () => {
  it('gives back, in order, what was put in and not taken out', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(199)), fc.array(fc.nat(199)), fc.integer({ min: 1, max: 70 }), (size, put, out, batch) => {
        const set = new PageSet(size)
        const model = new Set<number>()
        for (const pfn of put.filter((n) => n < size)) {
          set.add(pfn)
          model.add(pfn)
        }
        for (const pfn of out.filter((n) => n < size)) {
          set.delete(pfn)
          model.delete(pfn)
        }
        expect(contents(set, batch)).toEqual([...model].sort((a, b) => a - b))
        for (let pfn = 0; pfn < size; pfn++) expect(set.has(pfn)).toBe(model.has(pfn))
      }),
    ))
  it('takes a bitmap and looks at nothing beyond its size', () => {
    for (const size of [1, 7, 8, 31, 32, 33, 63, 64, 65]) {
      const set = new PageSet(size)
      set.assign(new Uint8Array(64).fill(0xff))
      expect(contents(set)).toEqual(Array.from({ length: size }, (_, i) => i))
      set.assign(Uint8Array.of(1))
      expect(contents(set)).toEqual([0])
    }
  })
  it('can be full, and empty, and take in another', () => {
    const set = new PageSet(40)
    const other = new PageSet(40)
    set.add(3)
    other.add(39)
    set.merge(other)
    expect(contents(set)).toEqual([3, 39])
    set.fill()
    expect(contents(set)).toHaveLength(40)
    set.clear()
    expect(contents(set)).toEqual([])
    expect(contents(new PageSet(0))).toEqual([])
  })
})
