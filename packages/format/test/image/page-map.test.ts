import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PageMap } from '../../src/image/page-map.ts'

const pfns = fc.oneof(fc.nat(20), fc.nat(5000), fc.integer({ min: 0, max: 2 ** 21 }), fc.integer({ min: 0, max: 2 ** 52 - 1 }), fc.constantFrom(4095, 4096, 4097, 2 ** 20 - 1, 2 ** 20))

describe('a number for each pfn', () => {
  for (const cells of [Uint8Array, Uint32Array, Float64Array]) {
    it(`is there, and in order, as in a map of all of them: ${cells.name}`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(pfns, fc.nat(200)), { maxLength: 200 }), fc.integer({ min: 0, max: 400 }), (settings, run) => {
          const map = new PageMap(cells)
          const plain = new Map<number, number>()
          // A run of pfns in front makes room for dense blocks higher up.
          for (const [pfn, value] of [...Array.from({ length: run * 64 }, (_, i) => [2 ** 20 - 100 + i, i % 200] as const), ...settings]) {
            if (map.set(pfn, value) !== plain.get(pfn)) throw new Error(`pfn ${pfn} was something else`)
            plain.set(pfn, value)
          }
          for (const [pfn] of settings) expect([map.get(pfn), map.get(pfn + 1)]).toEqual([plain.get(pfn), plain.get(pfn + 1)])
          expect([map.size, map.end]).toEqual([plain.size, Math.max(0, ...[...plain.keys()].map((pfn) => pfn + 1))])
          expect(JSON.stringify([...map.entries()])).toBe(JSON.stringify([...plain].sort(([a], [b]) => a - b)))
        }),
        { numRuns: 30 },
      )
    })
  }

  it('takes little memory when pfns lie far apart', () => {
    const map = new PageMap()
    for (let i = 0; i < 1000; i++) map.set(2 ** 30 + i * 2 ** 20, 1)
    expect([map.size, map.get(2 ** 30 + 5 * 2 ** 20), map.get(2 ** 30 + 1)]).toEqual([1000, 1, undefined])
  })
})
