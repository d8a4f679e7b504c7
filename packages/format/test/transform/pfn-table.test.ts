import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PfnTable } from '../../src/transform/pfn-table.ts'

describe('a number for each pfn', () => {
  it('is what was last set, and comes in ascending order, however far pfns lie apart', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(fc.nat(300), fc.nat(20_000), fc.integer({ min: 2 ** 20, max: 2 ** 52 - 1 })), fc.nat()), { maxLength: 400 }), (sets) => {
        const table = new PfnTable()
        const wanted = new Map<number, number>()
        for (const [pfn, value] of sets) {
          table.set(pfn, value)
          wanted.set(pfn, value)
        }
        expect([...table.entries()]).toEqual([...wanted].sort(([a], [b]) => a - b))
        expect(table.size).toBe(wanted.size)
        expect(table.end).toBe(Math.max(-1, ...wanted.keys()) + 1)
        for (const [pfn, value] of wanted) expect(table.get(pfn)).toBe(value)
      }),
    ))

  it('is kept when neighbours become many', () => {
    const table = new PfnTable()
    for (let pfn = 0; pfn < 5000; pfn += 2) table.set(pfn, pfn + 1)
    expect(table.size).toBe(2500)
    expect([table.get(0), table.get(1), table.get(4998), table.get(4999)]).toEqual([1, undefined, 4999, undefined])
    expect([...table.entries()].every(([pfn, value], i) => pfn === 2 * i && value === pfn + 1)).toBe(true)
  })

  it('refuses an image whose pfns lie apart as in no guest', () => {
    const table = new PfnTable()
    expect(() => {
      for (let i = 0; i <= 1 << 18; i++) table.set(i * 4096, 0)
    }).toThrow(expect.objectContaining({ code: 'FMT_PFN_RANGE' }) as Error)
  })
})
