import { describe, expect, it } from 'vitest'
import { PageTypes, RefusedTable } from '../../src/pv/page-types.ts'

/** Sixteen pages whose frames are their pfns plus 100; frame 50 is lent by Xen. */
function pages(levels: 3 | 4): { readonly types: PageTypes; readonly put: (table: number, index: number, frame: number, flags: number) => void; readonly words: (pfn: number) => Uint32Array; readonly seen: string[] } {
  const seen: string[] = []
  const memory = Array.from({ length: 16 }, () => new Uint32Array(1024))
  const words = (pfn: number): Uint32Array => memory[pfn] as Uint32Array
  const types = new PageTypes({
    levels, words, lent: 50,
    locate: (mfn) => (mfn >= 100 && mfn < 116 ? mfn - 100 : -1),
    mfn: (pfn) => pfn + 100,
    slotFrame: (slot) => (levels === 4 ? slot : slot < 430 ? 0x4000 + slot : 0),
    touched: (pfn, by) => void seen.push(`${pfn} ${by}`),
  })
  return { types, words, seen, put: (table, index, frame, flags) => words(table).set([frame * 4096 + flags, 0], index * 2) }
}

const all = Array.from({ length: 16 }, (_, pfn) => pfn)
const inUse = (types: PageTypes): number[] => all.filter((pfn) => types.use(pfn) !== 0)

describe('a page', () => {
  it('is a table as long as something uses it so, and what it names with it', () => {
    const { types, put } = pages(4)
    ;[[1, 102], [2, 103], [3, 104]].forEach(([table, frame]) => put(table as number, 0, frame as number, 7))
    put(4, 5, 107, 3)
    put(4, 6, 50, 3)
    types.pin(1, 4)
    expect(all.map((pfn) => types.nibble(pfn)).slice(0, 8)).toEqual([0, 12, 3, 2, 1, 0, 0, 0])
    expect(() => types.get(7, 1)).toThrow(RefusedTable)
    types.unpin(1)
    expect(inUse(types)).toEqual([])
    expect(() => types.unpin(1)).toThrow(RefusedTable)
  })

  it('counts as written when it becomes a table and when it is none any more, so that savers send its type anew', () => {
    const { types, put, seen } = pages(4)
    put(1, 0, 102, 7)
    types.pin(1, 4)
    types.get(2, 3)
    types.put(2)
    expect(seen.filter((one) => one.endsWith('type'))).toEqual(['2 type', '1 type'])
    seen.length = 0
    types.unpin(1)
    expect(seen).toEqual(['2 type', '1 type'])
    types.get(5, 6)
    types.put(5)
    expect(seen.length).toBe(2)
  })

  it.each([
    ['names a frame of nobody', 999, 7, "not the guest's"],
    ['has a large page', 103, 0x87, 'large page'],
    ['names memory that is mapped for writing', 105, 7, 'writable memory'],
    ['names a descriptor table', 106, 7, 'descriptor table'],
  ])('cannot be a table that %s, and nothing has changed then', (_, frame, flags, says) => {
    const { types, put } = pages(4)
    put(2, 3, 103, 7)
    put(3, 0, 104, 7)
    put(4, 1, 105, 3)
    types.get(6, 5)
    put(2, 9, frame, flags)
    const before = inUse(types)
    expect(() => types.get(2, 3)).toThrow(says)
    expect(inUse(types)).toEqual(before)
  })

  it('may be a table that names itself or another of its level, read-only', () => {
    const { types, put } = pages(4)
    put(1, 5, 101, 5)
    put(2, 5, 101, 5)
    types.pin(1, 4)
    types.pin(2, 4)
    types.unpin(2)
    types.unpin(1)
    expect(inUse(types)).toEqual([])
    put(1, 5, 101, 7)
    expect(() => types.pin(1, 4)).toThrow('in use as')
  })

  it('changes by entries that are checked one by one', () => {
    const { types, put, words } = pages(4)
    put(3, 0, 105, 3)
    types.get(3, 1)
    expect(() => types.write(5, 0, 0, 0)).toThrow('no page table')
    expect(() => types.write(3, 1, 999 * 4096 + 3, 0)).toThrow("not the guest's")
    expect(() => types.write(3, 1, 103 * 4096 + 3, 0)).toThrow('in use as')
    types.write(3, 1, 103 * 4096 + 1, 0)
    types.write(3, 0, 105 * 4096 + 1, 0)
    expect(types.use(5)).toBe(0)
    expect([...words(3).subarray(0, 4)]).toEqual([105 * 4096 + 1, 0, 103 * 4096 + 1, 0])
  })
})

describe("Xen's slots", () => {
  it('are filled when a 64-bit top table comes into use, whatever stood there', () => {
    const { types, put, words } = pages(4)
    put(1, 260, 999, 7)
    types.pin(1, 4)
    expect([256, 257, 258, 271].map((slot) => (words(1)[slot * 2] as number) >>> 12)).toEqual([256, 257, 101, 271])
    types.unpin(1)
    types.pin(1, 4)
  })

  it('are filled in the last L2 table of a 32-bit guest, and passed over when that table is checked again', () => {
    const { types, put, words } = pages(3)
    put(1, 0, 102, 1)
    put(1, 3, 103, 1)
    put(1, 4, 999, 1) // beyond the four entries that count
    put(3, 427, 104, 7)
    types.pin(1, 3)
    expect([428, 429, 430].map((slot) => words(3)[slot * 2])).toEqual([(0x4000 + 428) * 4096 + 0xa5, (0x4000 + 429) * 4096 + 0xa5, 0])
    types.unpin(1)
    types.pin(1, 3)
    types.unpin(1)
    expect(inUse(types)).toEqual([])
  })
})
