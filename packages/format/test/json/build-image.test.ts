import { describe, expect, it } from 'vitest'
import { vector } from '../vectors.ts'
import { decoded, documentOf, encoded, entryBytes, expectSame, itemsOf, recordBytes, type LooseItem } from './document.ts'

const libxc = (type: number, more: object): object => ({ kind: 'record', layer: 'libxc', type, ...more })
const page = Buffer.alloc(4096, 5).toString('base64')

describe('an edited document', () => {
  it('needs no lengths, counts and padding', async () => {
    const bytes = await encoded(documentOf({ kind: 'record', layer: 'libxl', type: 99, raw: 'aabbcc' }, libxc(1, { entries: ['0x7..0x8:NOTAB', '0x9:XTAB'], pages: [null, page] })))
    const body = Buffer.concat([entryBytes([7n, 8n, 9n | (0xfn << 60n)]), Buffer.alloc(4096), Buffer.alloc(4096, 5)])
    expectSame(bytes, Buffer.concat([recordBytes(99, Uint8Array.of(0xaa, 0xbb, 0xcc)), recordBytes(1, body)]))
  })

  it('may have another configuration: the header of the file follows', async () => {
    const items = itemsOf(await decoded(vector('ok_xlfile_tiny'))).map((item): LooseItem => (item['kind'] === 'xl-block' ? { kind: 'xl-block', value: { config: '{"a":1}\0', rest: '' } } : item))
    const bytes = await encoded(documentOf(...items))
    expect(Buffer.from(bytes).readUInt32LE(44)).toBe(12)
    expectSame(bytes.subarray(60), vector('ok_xlfile_tiny').subarray(55))
  })

  it('may have a block without the header, two headers, or a header of another size', async () => {
    const block = { kind: 'xl-block', raw: '0000000000' }
    expect(await encoded(documentOf(block))).toEqual(new Uint8Array(5))
    expect(await encoded(documentOf({ kind: 'xl-header', raw: 'ffff' }, block))).toEqual(Uint8Array.of(255, 255, 0, 0, 0, 0, 0))
    const [header] = itemsOf(await decoded(vector('ok_xlfile_tiny')))
    const two = await encoded(documentOf(header as LooseItem, header as LooseItem, block))
    expect([Buffer.from(two).readUInt32LE(44), Buffer.from(two).readUInt32LE(92)]).toEqual([7, 5])
  })

  it('may have a damaged record on purpose', async () => {
    const bytes = await encoded(documentOf(libxc(1, { entries: ['0x7:NOTAB'], length: 16, padding: '0102' }), { kind: 'more', raw: '03', padding: '00' }))
    expectSame(bytes, Buffer.concat([recordBytes(1, entryBytes([7n])), Uint8Array.of(1, 2, 3, 0)]))
  })

  it('may be read from chunks cut anywhere', async () => {
    const bytes = vector('gold_xc_hvm_live')
    const text = await decoded(bytes)
    expectSame(await encoded(text.match(/[^]{1,5000}/g) as string[]), bytes)
  })
})

describe('a document that no image can be made of tells the item and the field', () => {
  const good = libxc(0, { value: {} })
  const cases: readonly (readonly [what: string, item: unknown, message: string | RegExp])[] = [
    ['no object', 5, 'item 1, an object wanted, 5 found'],
    ['no kind', {}, 'item 1, kind: nothing found'],
    ['an unknown kind', { kind: 'page' }, 'item 1, kind: "page" found'],
    ['a kind of another type', { kind: 3 }, 'item 1, kind: 3 found'],
    ['a field with a slip', libxc(0, { valeu: {} }), 'item 1, valeu: there is no such field here'],
    ['a layer that does not exist', { ...libxc(0, { value: {} }), layer: 'xl' }, 'item 1, layer: "libxl" or "libxc" wanted, "xl" found'],
    ['no layer', { kind: 'record', type: 0, value: {} }, 'item 1, layer: "libxl" or "libxc" wanted, nothing found'],
    ['a type that is no number', { ...libxc(0, { value: {} }), type: 'END' }, 'item 1, type: an integer from 0 to 4294967295 wanted, "END" found'],
    ['neither raw nor value', libxc(0, {}), 'item 1, "raw" or "value" wanted, one of them'],
    ['raw and value', libxc(0, { raw: '', value: {} }), 'item 1, "raw" or "value" wanted, one of them'],
    ['raw that is not hexadecimal', libxc(0, { raw: '0g' }), 'item 1, raw: bytes in hexadecimal wanted'],
    ['padding that is not hexadecimal', libxc(0, { raw: '', padding: 0 }), 'item 1, padding: bytes in hexadecimal wanted'],
    ['a field of a record that cannot be', libxc(8, { value: { mode: 0, khz: 'fast', nsec: '0x0', incarnation: 0 } }), 'item 1, value: khz: an integer from 0 to 4294967295 wanted, "fast" found'],
    ['a field in a row that cannot be', libxc(0x12, { value: [{ index: 1, flags: 0, value: '0x0' }, { index: 1, flags: 0, value: 5 }] }), 'item 1, value: row 1: value: a 64-bit number as "0x…" wanted, 5 found'],
    ['a header with a field that cannot be', { kind: 'domain-header', value: { type: 1, pageShift: 12, xenMajor: -1, xenMinor: 17 } }, 'item 1, value: xenMajor: an integer'],
    ['a length that is none', { kind: 'xl-block', raw: '', length: -1 }, 'item 1, length: an integer'],
    ['base64 that is none', { kind: 'trailing', base64: '????' }, 'item 1, base64: bytes in base64 wanted'],
    ['base64 of another type', { kind: 'trailing', base64: 5 }, 'item 1, base64: bytes in base64 wanted'],
    ['entries where they do not belong', libxc(2, { entries: [] }), 'item 1, entries: only PAGE_DATA, type 1 of libxc, has them'],
    ['entries in the other layer', { kind: 'record', layer: 'libxl', type: 1, entries: [] }, 'item 1, entries: only PAGE_DATA, type 1 of libxc, has them'],
    ['entries that cannot be', libxc(1, { entries: ['0x5'] }), 'item 1, entries: pfns and their type wanted'],
    ['too few pages', libxc(1, { entries: ['0x5:NOTAB'] }), 'item 1, pages: 1 page contents wanted for these entries, 0 found'],
    ['bytes behind the pages', libxc(1, { entries: ['0x5:NOTAB'], pages: [0], rest: '00' }), 'item 1, pages: 1 page contents wanted for these entries, 1 found, and 1 bytes more'],
    ['a page of another size', libxc(1, { entries: ['0x5..0x6:NOTAB'], pages: [0, 'AAAA'] }), 'item 1, pages: page 1: 4096 bytes in base64 or 0 wanted'],
    ['a page that is not base64', libxc(1, { entries: ['0x5:NOTAB'], pages: [page.replace('B', '*')] }), 'item 1, pages: page 0: 4096 bytes in base64 or 0 wanted'],
    ['a page that is a number', libxc(1, { entries: ['0x5:NOTAB'], pages: [1] }), 'item 1, pages: page 0: 4096 bytes in base64 or 0 wanted'],
    ['absurdly many pages', libxc(1, { entries: ['0x5:NOTAB'], pages: { at: 0, count: 65_537 }, length: 0 }), 'item 1, pages: at most 65536 pages in one item, 65537 found'],
    ['pages without their file', libxc(1, { entries: ['0x5:NOTAB'], pages: { at: 0, count: 1 } }), 'item 1, pages: the document was written without page contents'],
    ['pages that say nothing', libxc(1, { entries: ['0x5:NOTAB'], pages: 'x' }), 'item 1, pages: an object wanted, "x" found'],
    ['pages without a count', libxc(1, { entries: ['0x5:NOTAB'], pages: { at: 0 } }), 'item 1, pages: count: an integer'],
  ]

  it.each(cases)('%s', async (_what, item, message) => {
    await expect(encoded(documentOf(good, item as object))).rejects.toMatchObject({ code: 'FMT_JSON', message: expect.stringContaining(message as string) as string })
  })

  it('something very long', async () => {
    const error = await encoded(documentOf({ ...good, type: 'x'.repeat(100_000) })).catch((reason: unknown) => reason as Error)
    expect((error as Error).message).toMatch(/^item 0, type: an integer .{300,400}…$/)
  })

  it('a page that the file of pages does not have', async () => {
    const text = documentOf(libxc(1, { entries: ['0x0..0x63:NOTAB'], pages: { at: 3, count: 100 } }))
    const file = Buffer.alloc(4096 * 70 + 5)
    await expect(encoded(text, { readPages: (at, count) => file.subarray(4096 * at, 4096 * (at + count)) })).rejects.toThrow('item 0, pages: page 70 is not in the file of page contents')
  })

  it('a file of pages that cannot be read fails as it fails', async () => {
    const failing = (): never => {
      throw new RangeError('disk on fire')
    }
    await expect(encoded(documentOf(libxc(1, { entries: ['0x0:NOTAB'], pages: { at: 0, count: 1 } })), { readPages: failing })).rejects.toThrow(new RangeError('disk on fire'))
  })
})
