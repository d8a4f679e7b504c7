import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunMap } from '../../src/image/run-map.ts'
import { MemoryTally } from '../../src/image/summary-memory.ts'
import { hasContent, pageDataOf, pageTypeName } from '../../src/libxc/page-data.ts'
import { entryWords, type Entry } from '../rules/image-builder.ts'

const add = (tally: MemoryTally, entries: readonly Entry[]): void => {
  tally.add(pageDataOf(entries.length, 0, new Uint32Array(entryWords(entries).buffer)))
}
const tallyOf = (...batches: readonly (readonly Entry[])[]): ReturnType<MemoryTally['finish']> => {
  const tally = new MemoryTally()
  for (const entries of batches) add(tally, entries)
  return tally.finish()
}

describe('memory told by the entries of PAGE_DATA records', () => {
  it('counts a pfn once, under the type that came last', () => {
    expect(tallyOf([[0, 0], [1, 0], [2, 0xf]], [[1, 4], [7, 0xe]])).toEqual({
      batches: 2,
      entries: 5,
      contents: 3,
      pfns: 4,
      pfnEnd: 8,
      populated: 3,
      bytes: 3 * 4096,
      types: { NOTAB: 1, L4TAB: 1, XALLOC: 1, XTAB: 1 },
    })
  })

  it('keeps memory given once, whatever is said of the pfn later', () => {
    expect(tallyOf([[0, 0]], [[0, 0xf]], [[0, 0xf]])).toMatchObject({ pfns: 1, populated: 1, types: { XTAB: 1 } })
    expect(tallyOf([[0, 0xf]], [[0, 0xf]], [[0, 0]], [[0, 0]])).toMatchObject({ pfns: 1, populated: 1, types: { NOTAB: 1 } })
    expect(tallyOf([[5, 0]], [[3, 0xd]])).toMatchObject({ pfns: 2, populated: 1, types: { NOTAB: 1, BROKEN: 1 } })
  })

  it('comes to the same as counting one by one, in any order', () => {
    const entry = fc.tuple(fc.nat(40), fc.nat(15))
    fc.assert(
      fc.property(fc.array(fc.array(entry, { minLength: 1 })), (batches) => {
        const types = new Map<number, number>()
        const populated = new Set<number>()
        for (const [pfn, type] of batches.flat()) {
          types.set(pfn, type)
          if (hasContent(type) || type === 0xe) populated.add(pfn)
        }
        const byType: Record<string, number> = {}
        for (const type of types.values()) byType[pageTypeName(type)] = (byType[pageTypeName(type)] ?? 0) + 1
        expect(tallyOf(...batches)).toMatchObject({ pfns: types.size, populated: populated.size, types: byType, pfnEnd: Math.max(0, ...[...types.keys()].map((pfn) => pfn + 1)) })
      }),
    )
  })

  it('takes no more memory for wild pfns than for others', () => {
    expect(tallyOf([[2 ** 52 - 1, 0]], [[2 ** 40, 0xf]])).toMatchObject({ pfns: 2, pfnEnd: 2 ** 52 })
  })
})

describe('runs of pfns', () => {
  it('grow while what comes follows what was there with the same value', () => {
    const runs = new RunMap()
    expect(runs.append(0, 10, 1)).toBe(true)
    expect(runs.append(10, 10, 1)).toBe(true)
    expect(runs.append(19, 1, 1)).toBe(false)
    expect(runs).toMatchObject({ size: 20, end: 20 })
    expect(runs.set(19, 3)).toBe(1)
    expect(runs.set(19, 4)).toBe(3)
    expect(runs.set(30, 5)).toBeUndefined()
    expect(runs).toMatchObject({ size: 21, end: 31 })
  })

  it('are refused when there are too many, and the pfns can be set one by one', () => {
    const runs = new RunMap()
    let pfn = 0
    while (runs.append(pfn, 1, 0)) pfn += 2
    expect(pfn).toBe(2 * 65536)
    expect(runs.set(pfn, 0)).toBeUndefined()
    expect(runs.set(1, 0)).toBeUndefined()
    expect(runs.set(2, 9)).toBe(0)
    expect(runs.size).toBe(65536 + 2)
  })
})
