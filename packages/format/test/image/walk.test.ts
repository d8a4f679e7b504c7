import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import type { Item } from '../../src/image/item.ts'
import { FIRST_BYTES, recognise, xlMagic } from '../../src/image/recognise.ts'
import { walk, type WalkOptions } from '../../src/image/walk.ts'
import { PAGE, hasContent, isReservedType, pageDataLength, pageDataOf, pageTypeName, tableLevel } from '../../src/libxc/page-data.ts'
import { ascii, build, context, cut, domainHeader, flat, hvm, libxl, pageData, piece, pv, record, remus, words, xl, xlHeader, zeros, type Layout } from '../rules/image-builder.ts'

async function itemsOf(layout: Layout, options: WalkOptions = {}): Promise<readonly Item[]> {
  const items: Item[] = []
  for await (const item of walk(new ByteReader(sourceOfBytes(build(layout).bytes)), options)) items.push(item)
  return items
}

/** "kind@offset", with the layer and name of records. */
const told = (items: readonly Item[]): readonly string[] =>
  items.map((item) => {
    if (item.kind === 'record') return `${item.layer} ${item.name ?? item.type}@${item.offset}`
    return item.kind === 'stop' ? `${item.reason} ${item.layer} ${item.during}@${item.offset}` : `${item.kind}@${item.offset}`
  })

describe('an image is recognised by its first bytes', () => {
  it.each([
    ['libxc', build(hvm).bytes],
    ['libxl', build(libxl).bytes],
    ['xl', xlMagic],
    ['legacy', words(0x1000, 0)],
    ['legacy', words(0x1000, 1024)],
    ['legacy', words(0x1000, 0xffff_ffff)],
    ['legacy', words(0x1000_0000, 0xffff_ffec)],
    ['unknown', words(0, 0)],
    ['unknown', words(0x1000_0001, 0)],
    ['unknown', words(1, 1025)],
    ['unknown', words(1, 0xffff_ffeb)],
    ['legacy', words(0x1000, 0, 0xffff_ffff, 0xffff_ffff)],
    ['legacy', words(0x1000, 0, 1024, 0)],
    ['legacy', words(0x1000, 0, 0xffff_ffee, 0)],
    ['unknown', words(0x1000, 0, 1025, 0)],
    ['unknown', words(0x1000, 0, 0x6572_6568, 0)],
    ['unknown', ascii('LibxlFm')],
    ['unknown', ascii('garbage!')],
  ])('%s', (format, bytes) => expect(recognise(bytes.subarray(0, FIRST_BYTES))).toBe(format))

  it.each([
    ['gzip', [0x1f, 0x8b, 8, 0]],
    ['xz', [0xfd, 0x37, 0x7a, 0x58]],
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39]],
    ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ])('and is not what %s made of one', (_, magic) => {
    for (const rest of [[0, 0, 0, 0], [0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]]) expect(recognise(Uint8Array.from([...magic, ...rest]))).toBe('unknown')
  })
})

describe('a walk goes through all layers', () => {
  it('of an xl file', async () => {
    expect(told(await itemsOf(xl))).toEqual([
      'xl-header@0', 'xl-block@48', 'libxl-header@55', 'libxl LIBXC_CONTEXT@71', 'image-header@79', 'domain-header@103', 'libxc STATIC_DATA_END@119', 'libxc PAGE_DATA@127',
      'libxc HVM_CONTEXT@151', 'libxc END@183', 'libxl EMULATOR_CONTEXT@191', 'libxl END@215', 'end libxl none@223',
    ])
  })

  it('of a checkpointed stream, and counts records and checkpoints', async () => {
    const items = await itemsOf({ ...remus, behind: [context, record(0x0e), record(0x04)] })
    expect(told(items).slice(-9)).toEqual([
      'libxc PAGE_DATA@72', 'libxc HVM_CONTEXT@96', 'libxc CHECKPOINT@128', 'libxl EMULATOR_CONTEXT@136', 'libxl CHECKPOINT_END@160', 'libxc HVM_CONTEXT@168',
      'libxc CHECKPOINT@200', 'libxl CHECKPOINT_END@208', 'eof libxc record-head@216',
    ])
    expect(items.flatMap((item) => (item.kind === 'record' ? [[item.index, item.epoch]] : []))).toEqual([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 1], [6, 1], [7, 1], [8, 1], [9, 2]])
  })

  it('and into a second image of a libxl stream', async () => {
    expect(told(await itemsOf({ ...libxl, behindImage: [record(0x01), ...libxl.image] })).filter((text) => text.startsWith('image'))).toHaveLength(2)
  })

  it('as it is told, whatever the bytes look like', async () => {
    expect(told(await itemsOf(hvm, { format: 'xl' }))[0]).toBe('xl-header@0')
    expect(told(await itemsOf(hvm, { format: 'legacy' }))).toEqual(['legacy@0', expect.stringMatching(/^end legacy/)])
  })
})

describe('what an xl file without the flag for libxl streams holds is told by its bytes', () => {
  const holding = (stream: Layout): Promise<readonly Item[]> => itemsOf({ ...xl, header: xlHeader({ mandatory: 1 }), stream: flat(stream) })
  it('a libxl stream', async () => expect(told(await holding(libxl))[2]).toBe('libxl-header@55'))
  it('a libxc image', async () => expect(told(await holding(hvm))[2]).toBe('image-header@55'))
  it('else a legacy stream', async () => expect(told(await holding({ first: piece(words(9, 0)) }))[2]).toBe('legacy@55'))
})

describe('a walk stops', () => {
  const last = async (layout: Layout, options: WalkOptions = {}): Promise<string | undefined> => told(await itemsOf(layout, options)).at(-1)

  it('where there is nothing, or nothing known', async () => {
    expect(await last({})).toBe('eof libxc header@0')
    expect(await last({ garbage: piece(ascii('garbage!')) })).toBe('lost libxc header@0')
  })
  it('where a version has other records', async () => {
    expect(await last({ ...hvm, image: piece(hvm.image.bytes.map((byte, i) => (i === 15 ? 4 : byte))) })).toBe('lost libxc none@24')
    expect(await last({ ...hvm, image: piece(hvm.image.bytes.map((byte, i) => (i === 15 ? 2 : byte))) })).toBe('end libxc none@112')
    expect(await last({ header: piece(libxl.header.bytes.map((byte, i) => (i === 11 ? 3 : byte))) })).toBe('lost libxl none@16')
  })
  it('where marker and id are both damaged, not where one is', async () => {
    const damaged = (...at: readonly number[]): Layout => ({ ...hvm, image: piece(hvm.image.bytes.map((byte, i) => (at.includes(i) ? byte ^ 1 : byte))) })
    expect(await last(damaged(3), { format: 'libxc' })).toBe('end libxc none@112')
    expect(await last(damaged(8))).toBe('end libxc none@112')
    expect(await last(damaged(3, 8), { format: 'libxc' })).toBe('lost libxc none@24')
  })
  it('where the bytes run out', async () => {
    expect(await last({ header: cut(xl.header, 20) })).toBe('cut xl header@20')
    expect(await last({ header: xl.header, block: cut(xl.block, 3) })).toBe('cut xl header@51')
    expect(await last({ header: xlHeader({ length: 0xffff_ffff }), block: xl.block })).toBe('cut xl header@55')
    expect(await last({ header: libxl.header, libxcContext: libxl.libxcContext, image: cut(hvm.image, 9) })).toBe('cut libxc header@33')
    expect(await last({ image: hvm.image, domain: cut(domainHeader(), 9) })).toBe('cut libxc header@33')
    expect(await last({ ...hvm, context: cut(context, 5), end: [] })).toBe('cut libxc record-head@77')
    expect(await last({ ...hvm, context: cut(context, 9), end: [] })).toBe('cut libxc body@81')
    expect(await last({ ...hvm, context: cut(record(0x09, zeros(9)), 18), end: [] })).toBe('cut libxc padding@90')
    expect(await last({ ...hvm, pages: cut(pageData([[1, 0xf], [2, 0xf]]), 25), context: [], end: [] })).toBe('cut libxc body@73')
    expect(await last({ ...remus, behind: cut(record(0x05, words(0)), 10) })).toBe('cut libxl body@178')
  })
  it('and says when that is within a checkpoint', async () => {
    expect((await itemsOf({ ...remus, checkpointEnd: [] })).at(-1)).toMatchObject({ reason: 'eof', layer: 'libxl', inCheckpoint: true })
    expect((await itemsOf(remus)).at(-1)).toMatchObject({ reason: 'eof', layer: 'libxc', inCheckpoint: false })
  })
})

describe('what follows a CHECKPOINT in a libxl stream is taken for what it is', () => {
  const layerBehind = async (start: Layout, ...behind: readonly ReturnType<typeof record>[]): Promise<string | undefined> => {
    const items = await itemsOf({ ...start, behind })
    const next = items.find((item, i) => i > 0 && items[i - 1]?.kind === 'record' && (items[i - 1] as { name?: string }).name === 'CHECKPOINT')
    return next?.layer
  }
  const open = { ...remus, emulator: [], checkpointEnd: [] }
  const openPv = { header: libxl.header, libxcContext: libxl.libxcContext, ...pv, end: record(0x0e) }

  it('libxl records', async () => {
    expect(await layerBehind(open, record(0x04))).toBe('libxl')
    expect(await layerBehind(open, record(0x03, zeros(8)))).toBe('libxl')
    expect(await layerBehind(open, record(0x02, zeros(8)))).toBe('libxl')
    expect(await layerBehind(open, record(0x01))).toBe('libxl')
    expect(await layerBehind(open, record(0x77))).toBe('libxl')
    expect(await layerBehind(open, cut(record(0x04), 5))).toBe('libxl')
  })
  it('libxc records', async () => {
    expect(await layerBehind(open, pageData([[1, 0xf]]))).toBe('libxc')
    expect(await layerBehind(open, context)).toBe('libxc')
    expect(await layerBehind(openPv, pv.vcpu)).toBe('libxc')
    expect(await layerBehind(openPv, record(0x05, zeros(136)))).toBe('libxc')
    expect(await layerBehind(openPv, pv.p2m)).toBe('libxc')
  })
})

describe('padding', () => {
  it('is told when it is not zero', async () => {
    const items = await itemsOf({ ...libxl, emulator: record(0x03, zeros(9), { padding: 3 }) })
    expect(items.find(({ kind }) => kind === 'padding')).toMatchObject({ layer: 'libxl', offset: 153, index: 5, bytes: new Uint8Array(7).fill(3) })
  })
})

describe('the front of PAGE_DATA', () => {
  const recordOf = async (part: ReturnType<typeof record>): Promise<Extract<Item, { kind: 'record' }>> =>
    (await itemsOf({ ...hvm, pages: part })).find((item) => item.kind === 'record' && item.type === 1) as Extract<Item, { kind: 'record' }>

  it('is taken out of the body', async () => {
    const { pages } = await recordOf(pageData([[0x12_3456_789a, 0xa, 0x81]], zeros(4096), 7))
    expect([pages?.count, pages?.reserved, pages?.contents, pages?.pfn(0), pages?.type(0), pages?.spare(0)]).toEqual([1, 7, 1, 0x12_3456_789a, 0xa, 0x81])
  })
  it.each([['short', record(1, zeros(7))], ['empty', record(1, zeros(16))], ['array-too-long', record(1, words(2, 0, 0, 0))]] as const)('or is %s', async (fault, part) => {
    expect(await recordOf(part)).toMatchObject({ pages: undefined, fault })
  })
  it('is left in a body that is too long to be one', async () => {
    expect(await recordOf(record(1, words(1, 0, 0, 0xf000_0000), { length: 0x0800_0001 }))).toMatchObject({ pages: undefined, fault: undefined })
  })
})

describe('page types', () => {
  it('have names, contents and levels', () => {
    expect([pageTypeName(0), pageTypeName(9), pageTypeName(15)]).toEqual(['NOTAB', 'L1TAB-pinned', 'XTAB'])
    expect([PAGE.NOTAB, PAGE.PINNED | 4, PAGE.BROKEN, PAGE.XALLOC, PAGE.XTAB].map(hasContent)).toEqual([true, true, false, false, false])
    expect(Array.from({ length: 16 }, (_, type) => tableLevel(type))).toEqual([0, 1, 2, 3, 4, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0])
    expect(Array.from({ length: 16 }, (_, type) => isReservedType(type)).flatMap((is, type) => (is ? [type] : []))).toEqual([5, 6, 7, 8])
  })
  it('say how long a record is', () => {
    const { contents } = pageDataOf(3, 0, Uint32Array.of(1, 0, 2, 0xf000_0000, 3, 0x1000_0000))
    expect([contents, pageDataLength(3, contents)]).toEqual([2, 32 + 8192])
  })
})
