import { describe, expect, it } from 'vitest'
import type { StopItem } from '../../src/image/item.ts'
import { vector } from '../vectors.ts'
import { decoded, encoded, entryBytes, expectSame, itemsOf, libxcHead, recordBytes, type LooseItem } from './document.ts'

const END = recordBytes(0, new Uint8Array(0))
const image = (...records: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([libxcHead, ...records]))
const filled = (size: number, from = 1): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 7 + from) & 0xff)

/** Items of an image behind its headers, once it has been made of them again. */
async function recordsOf(bytes: Uint8Array): Promise<readonly LooseItem[]> {
  const text = await decoded(bytes)
  expectSame(await encoded(text), bytes)
  return itemsOf(text).slice(2)
}

describe('the document', () => {
  it('has an item a line, headers and records by name, and says what the image is', async () => {
    const text = await decoded(vector('ok_xlfile_tiny'))
    const lines = text.split('\n')
    expect(lines[0]).toBe('{"schema":"xr.decode/1","format":"xl","items":[')
    expect(lines.slice(-2)).toEqual([']}', ''])
    expect(itemsOf(text)).toHaveLength(lines.length - 3)
    expect(itemsOf(text).map(({ kind, name }) => name ?? kind)).toEqual([
      'xl-header', 'xl-block', 'libxl-header', 'LIBXC_CONTEXT', 'image-header', 'domain-header',
      'STATIC_DATA_END', 'PAGE_DATA', 'HVM_CONTEXT', 'END', 'EMULATOR_CONTEXT', 'END',
    ])
    expect(itemsOf(text)[1]).toEqual({ kind: 'xl-block', value: { config: '{}\0', rest: '' } })
  })

  it('is read in the format that the caller names', async () => {
    const bytes = vector('bad_xc_marker')
    expect(itemsOf(await decoded(bytes)).map(({ kind }) => kind)).toEqual(['unknown'])
    const text = await decoded(bytes, { format: 'libxc' })
    expect(text).toContain('"format":"libxc"')
    expect(itemsOf(text)[0]).toMatchObject({ kind: 'image-header', value: { version: 3 } })
    expectSame(await encoded(text), bytes)
  })

  it('has no character beyond ASCII', async () => {
    const config = Buffer.from('{"name":"gäst €"}\0')
    const bytes = Buffer.from(vector('ok_xlfile_tiny'))
    bytes.writeUInt32LE(4 + config.length, 44)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(config.length)
    const whole = Buffer.concat([bytes.subarray(0, 48), length, config, bytes.subarray(55)])
    const text = await decoded(whole)
    expect(text).toMatch(/^[\n -~]*$/)
    expect(text).toContain('g\\u00e4st \\u20ac')
    expectSame(await encoded(text), whole)
  })
})

describe('page records', () => {
  const page = filled(4096)

  it('have runs of entries and a text or 0 for each page with content', async () => {
    const entries = entryBytes([0x10n, 0x11n, 0x12n | (0xfn << 60n), 0x13n | (1n << 60n)])
    expect(await recordsOf(image(recordBytes(1, Buffer.concat([entries, page, new Uint8Array(4096), page])), END))).toEqual([
      {
        kind: 'record', layer: 'libxc', type: 1, name: 'PAGE_DATA',
        entries: ['0x10..0x11:NOTAB', '0x12:XTAB', '0x13:L1TAB'],
        pages: [Buffer.from(page).toString('base64'), 0, Buffer.from(page).toString('base64')],
      },
      { kind: 'record', layer: 'libxc', type: 0, name: 'END', value: {} },
    ])
  })

  it('keep a page that is zero but for its end', async () => {
    const almost = new Uint8Array(4096)
    almost[4095] = 1
    const [item] = await recordsOf(image(recordBytes(1, Buffer.concat([entryBytes([5n]), almost])), END))
    expect((item?.['pages'] as string[])[0]).toHaveLength(5464)
  })

  it('keep what stands in reserved places', async () => {
    const [item] = await recordsOf(image(recordBytes(1, entryBytes([0x3fn | (0xe1an << 52n)], 7)), END))
    expect(item).toMatchObject({ entries: ['0x3f:XALLOC+0x1a'], reserved: 7, pages: [] })
  })

  it('keep bytes behind the pages, few or many', async () => {
    const few = await recordsOf(image(recordBytes(1, Buffer.concat([entryBytes([5n]), page, filled(12)])), END))
    expect(few[0]).toMatchObject({ rest: Buffer.from(filled(12)).toString('hex'), length: 16 + 4096 + 12 })
    const many = await recordsOf(image(recordBytes(1, Buffer.concat([entryBytes([5n]), page, filled(5001)])), END))
    expect(many.slice(0, 2)).toMatchObject([{ pages: [{}], length: 16 + 4096 + 5001 }, { kind: 'more', padding: '0'.repeat(14) }])
  })

  it('go on in further items when there are more than 1024 pages', async () => {
    const pfns = Array.from({ length: 1030 }, (_, i) => BigInt(i))
    const items = await recordsOf(image(recordBytes(1, Buffer.concat([entryBytes(pfns), filled(1030 * 4096)])), END))
    expect(items.map(({ kind }) => kind)).toEqual(['record', 'more', 'record'])
    expect(items[0]?.['pages']).toHaveLength(1024)
  })

  it('are bytes when they have absurdly many entries', async () => {
    const entries = entryBytes(Array.from({ length: 65_537 }, (_, i) => BigInt(2 * i) | (0xfn << 60n)))
    const items = await recordsOf(image(recordBytes(1, entries), END))
    expect(items.map(({ kind }) => kind)).toEqual(['record', 'more', 'record'])
    expect(items[0]).toMatchObject({ raw: '', length: entries.length })
  })

  it('are kept when the stream ends within a page, or within the entries', async () => {
    const whole = image(recordBytes(1, Buffer.concat([entryBytes([5n, 6n]), page, page])))
    const [inPage] = await recordsOf(whole.subarray(0, -4000))
    expect(inPage).toMatchObject({ pages: [{}], length: 24 + 8192 })
    expect(inPage?.['rest']).toHaveLength(2 * 96)
    const [inEntries] = await recordsOf(whole.subarray(0, libxcHead.length + 8 + 12))
    expect(inEntries).toMatchObject({ raw: '0200000000000000' + '05000000', length: 24 + 8192 })
    const [atPage] = await recordsOf(whole.subarray(0, -4096))
    expect(atPage).toMatchObject({ pages: [{}], length: 24 + 8192 })
  })
})

describe('other records', () => {
  it('of no known type are hexadecimal, their padding only where it is not zero', async () => {
    const odd = recordBytes(0x77, filled(3))
    odd[8 + 5] = 9
    expect(await recordsOf(image(recordBytes(0x77, filled(3)), odd, END))).toMatchObject([
      { kind: 'record', layer: 'libxc', type: 0x77, raw: '01080f' },
      { kind: 'record', layer: 'libxc', type: 0x77, raw: '01080f', padding: '0000090000' },
      {},
    ])
  })

  it('longer than 4 MiB go on in further items, and so does their padding', async () => {
    const long = recordBytes(0x77, filled(4 * 1024 * 1024 + 3))
    const items = await recordsOf(image(long, END))
    expect(items.map(({ kind }) => kind)).toEqual(['record', ...Array<string>(6).fill('more'), 'record'])
    expect(items.at(-2)).toMatchObject({ padding: '0000000000' })
    const cut = await recordsOf(image(long).subarray(0, 5_000))
    expect(cut).toMatchObject([{ raw: '', length: 4 * 1024 * 1024 + 3 }, { kind: 'more' }])
    long[long.length - 1] = 1
    expect((await recordsOf(image(long, END))).at(-2)).toMatchObject({ padding: '0000000001' })
  })

  it('cut in the body have the length that was promised, cut in the padding have what there was of it', async () => {
    const whole = image(recordBytes(0x77, filled(3)))
    expect(await recordsOf(whole.subarray(0, -6))).toMatchObject([{ raw: '0108', length: 3 }])
    expect(await recordsOf(whole.subarray(0, -5))).toMatchObject([{ raw: '01080f', padding: '' }])
    expect(await recordsOf(whole.subarray(0, -4))).toMatchObject([{ raw: '01080f', padding: '00' }])
    expect(await recordsOf(whole.subarray(0, libxcHead.length + 3))).toEqual([{ kind: 'cut', raw: '770000' }])
  })

  it('whose length is promised beyond all measure are read as far as they go', async () => {
    expect(await recordsOf(image(recordBytes(0x77, filled(8), 0xffffffff)))).toMatchObject([{ length: 0xffffffff }, { kind: 'more' }])
  })
})

describe('bytes outside of records', () => {
  it('behind the end are kept, in pieces when there are many', async () => {
    expect((await recordsOf(vector('ok_xc_v3_hvm_trailing'))).at(-1)).toEqual({
      kind: 'trailing',
      base64: Buffer.from('garbage after END').toString('base64'),
    })
    const items = await recordsOf(image(END, filled(800_000)))
    expect(items.map(({ kind }) => kind)).toEqual(['record', 'trailing', 'trailing'])
  })

  it('of a legacy stream are kept as they are', async () => {
    const bytes = Buffer.concat([Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0), new Uint8Array(8).fill(255), filled(50)])
    const text = await decoded(bytes)
    expect(itemsOf(text)).toMatchObject([{ kind: 'legacy' }])
    expectSame(await encoded(text), bytes)
  })

  describe('of a long xl block follow its item', () => {
    const tiny = Buffer.from(vector('ok_xlfile_tiny'))
    const block = filled(4 * 1024 * 1024 + 5)
    const fileOf = (flags: number, inner: Uint8Array, length = block.length): Buffer => {
      const head = Buffer.from(tiny.subarray(0, 48))
      head.writeUInt32LE(flags, 36)
      head.writeUInt32LE(length, 44)
      return Buffer.concat([head, block, inner])
    }
    const kindsOf = async (bytes: Uint8Array): Promise<readonly unknown[]> => {
      const text = await decoded(bytes)
      expectSame(await encoded(text), bytes)
      return itemsOf(text).map(({ kind }) => kind)
    }
    const inPieces = ['xl-header', 'xl-block', ...Array<string>(6).fill('more')]

    it('and what is behind it', async () => {
      expect(await kindsOf(fileOf(3, tiny.subarray(55)))).toEqual([...inPieces, 'libxl-header', 'record', 'image-header', 'domain-header', ...Array<string>(6).fill('record')])
      expect((await kindsOf(fileOf(1, image(END))))[8]).toBe('image-header')
      expect((await kindsOf(fileOf(1, tiny.subarray(55))))[8]).toBe('libxl-header')
      expect((await kindsOf(fileOf(1, filled(20))))[8]).toBe('legacy')
    })

    it('as far as there is any', async () => {
      expect(await kindsOf(fileOf(3, new Uint8Array(0), 0xfffffff0))).toEqual(inPieces)
      expect(await kindsOf(fileOf(3, new Uint8Array(0)).subarray(0, 48))).toEqual(['xl-header', 'xl-block'])
    })
  })
})

describe('the caller is told why the walk stopped', () => {
  const stopOf = async (bytes: Uint8Array): Promise<StopItem['reason'] | undefined> => {
    let reason: StopItem['reason'] | undefined
    await decoded(bytes, { onStop: (stop) => (reason = stop.reason) })
    return reason
  }

  it('when something is wrong', async () => {
    expect(await stopOf(image(END))).toBeUndefined()
    expect(await stopOf(image(END).subarray(0, -3))).toBe('cut')
    expect(await stopOf(filled(40))).toBe('lost')
  })
})
