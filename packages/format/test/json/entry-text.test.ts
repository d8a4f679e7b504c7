import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/bytes/field.ts'
import { frontOfText, textOfEntries } from '../../src/json/entry-text.ts'
import { pageDataOf, type PageData } from '../../src/libxc/page-data.ts'
import { entryBytes } from './document.ts'

const pagesOf = (entries: readonly bigint[]): PageData => {
  const words = new Uint32Array(new Uint8Array(entryBytes(entries)).slice(8).buffer)
  return pageDataOf(entries.length, 0, words)
}

describe('runs of page entries', () => {
  it('hold neighbours of one type', () => {
    expect(textOfEntries(pagesOf([1n, 2n, 4n, 3n, 4n, 5n | (9n << 60n), 0xf_ffff_ffff_ffffn | (0xdn << 60n)]))).toEqual([
      '0x1..0x2:NOTAB', '0x4:NOTAB', '0x3..0x4:NOTAB', '0x5:L1TAB-pinned', '0xfffffffffffff:BROKEN',
    ])
    expect(textOfEntries(pagesOf([1n, 2n | (3n << 52n), 3n | (3n << 52n)]))).toEqual(['0x1:NOTAB', '0x2..0x3:NOTAB+0x3'])
  })

  it('become the same entries again', () => {
    const near = fc.tuple(fc.nat(8), fc.constantFrom(0n, 1n, 0xfn), fc.constantFrom(0n, 7n)).map(([pfn, type, spare]) => BigInt(pfn) | (spare << 52n) | (type << 60n))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), near), { maxLength: 20 }), fc.nat(0xffffffff), (entries, reserved) => {
        const pages = pagesOf(entries)
        expect(frontOfText(textOfEntries(pages), reserved)).toEqual({ bytes: new Uint8Array(entryBytes(entries, reserved)), contents: pages.contents })
      }),
    )
  })

  it('that make no sense are refused, with what is wanted', () => {
    const bad: readonly Json[] = [7, null, '', '0x1', '1:NOTAB', '0x1:NOSUCH', '0x2..0x1:NOTAB', '0x10000000000000:NOTAB', '0x1:NOTAB+0x100', `0x1:${'x'.repeat(200)}`]
    for (const run of bad) expect(() => frontOfText([run], 0), JSON.stringify(run)).toThrow(/^pfns and their type wanted, as "0x0..0x9f:NOTAB", .{0,80} found$/)
    expect(() => frontOfText('0x1:NOTAB', 0)).toThrow('a list wanted')
  })

  it('of more pfns than a record holds are refused before memory is taken', () => {
    expect(() => frontOfText(['0x0..0xfffffffff:XTAB'], 0)).toThrow('at most 16777215 pfns in one record, 68719476736 found')
  })
})
