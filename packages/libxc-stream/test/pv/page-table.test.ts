import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { frameOfEntry, isPresent, normaliseTable, TABLE_WORDS, translateTable, type TableLayout } from '../../src/pv/page-table.ts'

const of64: TableLayout = { width: 8, compatFirstMfn: undefined }
const of32: TableLayout = { width: 4, compatFirstMfn: 0x700 }

/** A table with these entries, at word `at` of a larger array. */
function table(entries: Readonly<Record<number, bigint>>, at = 0): Uint32Array {
  const words = new Uint32Array(at + TABLE_WORDS)
  for (const [i, entry] of Object.entries(entries)) {
    words[at + 2 * Number(i)] = Number(entry & 0xffff_ffffn)
    words[at + 2 * Number(i) + 1] = Number(entry >> 32n)
  }
  return words
}
const entry = (words: Uint32Array, i: number, at = 0): bigint => (BigInt(words[at + 2 * i + 1] as number) << 32n) | BigInt(words[at + 2 * i] as number)
const pfnOf = (mfn: number): number => (mfn === 0x123456 ? 0x42 : -1)

describe('a page table on its way into an image', () => {
  it('has pfns for machine frames and keeps all other bits of its entries', () => {
    const words = table({ 3: 0x8000000123456067n }, 6)
    expect(normaliseTable(words, 6, 1, of64, pfnOf)).toBeUndefined()
    expect(entry(words, 3, 6)).toBe(0x8000000000042067n)
  })
  it('keeps entries that are not present, whatever they hold', () => {
    const words = table({ 0: 0xfeen, 511: 0xdead_beef_0000_0080n })
    expect(normaliseTable(words, 0, 2, of64, pfnOf)).toBeUndefined()
    expect(entry(words, 0)).toBe(0xfeen)
    expect(entry(words, 511)).toBe(0xdead_beef_0000_0080n)
  })
  it('cannot map a superpage', () => {
    expect(normaliseTable(table({ 9: 0x1234560e7n }), 0, 2, of64, pfnOf)).toEqual({ kind: 'superpage', entry: 9, frame: 0x123456 })
  })
  it('may have the bit that means something else in the lowest level', () => {
    const words = table({ 9: 0x1234560e7n })
    expect(normaliseTable(words, 0, 1, of64, pfnOf)).toBeUndefined()
    expect(entry(words, 9)).toBe(0x420e7n)
  })
  it('cannot point to what is not the guest’s', () => {
    expect(normaliseTable(table({ 7: 0xfff_ffff_ffff_f001n & 0xf_ffff_ffff_f001n }), 0, 4, of64, pfnOf)).toEqual({ kind: 'foreign', entry: 7, frame: 0xff_ffff_ffff })
  })

  const all = Object.fromEntries(Array.from({ length: 512 }, (_, i) => [i, 0x123456067n]))
  const zeroed = (words: Uint32Array): number[] => Array.from({ length: 512 }, (_, i) => i).filter((i) => entry(words, i) === 0n)
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const slots: readonly [string, number, TableLayout, number[]][] = [
    ['level 4 of 64 bits: 256 to 271', 4, of64, range(256, 271)],
    ['level 3 of 64 bits: none', 3, of64, []],
    ['level 2 of 64 bits: none', 2, of64, []],
    ['level 3 of 32 bits: 4 to 511', 3, of32, range(4, 511)],
    ['level 2 of 32 bits, not the top one: none', 2, of32, []],
    ['level 1 of 32 bits: none', 1, of32, []],
  ]
  for (const [what, level, layout, expected] of slots) {
    it(`has zeros in Xen’s own slots; ${what}`, () => {
      const words = table(all)
      expect(normaliseTable(words, 0, level, layout, pfnOf)).toBeUndefined()
      expect(zeroed(words)).toEqual(expected)
    })
  }
  it('has zeros in 428 to 511 when it is the top level-2 table of 32 bits, told by what 428 points to', () => {
    const words = table({ ...all, 428: 0x700062n })
    expect(normaliseTable(words, 0, 2, of32, pfnOf)).toBeUndefined()
    expect(zeroed(words)).toEqual(range(428, 511))
  })
  it('has no zeros there on a host that has no 32-bit guests’ tables', () => {
    expect(normaliseTable(table({ 428: 0x700063n }), 0, 2, { width: 4, compatFirstMfn: undefined }, pfnOf)).toMatchObject({ kind: 'foreign', entry: 428 })
  })
  it('cannot be of level 4 in a 32-bit guest', () => {
    expect(normaliseTable(table({ 0: 0x123456067n }), 0, 4, of32, pfnOf)).toEqual({ kind: 'level', entry: 0, frame: 0x123456 })
  })
  it('comes back as it was when translated the other way', () => {
    const entries = fc.dictionary(fc.nat(511).map(String), fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }))
    const END = 2 ** 40
    fc.assert(
      fc.property(entries, fc.nat(), (given, shift) => {
        const before = table(given)
        const words = before.slice()
        expect(translateTable(words, 0, 1, (frame) => (frame + shift) % END)).toBeUndefined()
        for (const i of Object.keys(given).map(Number)) {
          if (isPresent(before, 0, i)) expect(frameOfEntry(words, 0, i)).toBe((frameOfEntry(before, 0, i) + shift) % END)
        }
        expect(translateTable(words, 0, 1, (frame) => (frame - shift + END) % END)).toBeUndefined()
        expect(words).toEqual(before)
      }),
    )
  })
})
