import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { createSummary } from '../../src/image/summary.ts'
import { walk } from '../../src/image/walk.ts'
import { ascii, build, cut, domainHeader, emulator, hvm, imageHeader, join, libxl, libxlHeader, longs, p2m, piece, pv, pvInfo, record, remus, theEnd, vcpuBasic, words, xl, xlBlock, xlHeader, zeros } from '../rules/image-builder.ts'
import { vector } from '../vectors.ts'
import { summarise } from './summarise.ts'

describe('the layers of an image', () => {
  it('are told from the outermost one on', async () => {
    expect(await summarise(xl)).toMatchObject({
      format: 'xl',
      xl: { mandatoryFlags: 3, optionalFlags: 0, foreign: false, streamV2: true },
      libxl: { version: 2, options: 0, converted: false },
      libxc: { version: 3, endianness: 'little', guest: 'hvm', xen: { major: 4, minor: 17 }, converter: undefined },
      end: { reason: 'end', layer: 'libxl' },
    })
    expect((await summarise(libxl)).format).toBe('libxl')
    expect((await summarise(hvm)).format).toBe('libxc')
  })

  it('that a converter made of a legacy image are told as such', async () => {
    const domain = piece(join(words(2), Uint8Array.from([12, 0, 0, 0]), words(0, 1)))
    const image = { ...hvm, domain }
    expect(await summarise({ ...libxl, header: libxlHeader({ options: 2 }), image: Object.values(image).flat() })).toMatchObject({
      libxl: { converted: true },
      libxc: { xen: undefined, converter: 1 },
    })
  })

  it('that only an unusual header names are shown with what it says', async () => {
    expect(await summarise({ ...xl, header: xlHeader({ byteOrder: 0x04030201, mandatory: 1 }) })).toMatchObject({ xl: { foreign: true, streamV2: false } })
    expect((await summarise({ ...hvm, image: imageHeader({ options: 1 }) })).libxc?.endianness).toBe('big')
    expect((await summarise({ ...hvm, domain: domainHeader({ type: 3 }) })).guest).toBe('unknown')
    expect((await summarise({ ...hvm, image: imageHeader({ version: 9 }) })).end.reason).toBe('lost')
  })

  it('do not include a legacy payload, which is only named', async () => {
    expect(await summarise(join(words(256, 0), zeros(64)))).toMatchObject({ format: 'legacy', guest: 'unknown', libxc: undefined, records: { total: 0 } })
    expect((await summarise({ header: xlHeader({ mandatory: 1 }), block: xlBlock(ascii('{}\0')), legacy: piece(words(256, 0)) })).format).toBe('xl')
  })

  it('are unknown where there is no image', async () => {
    expect(await summarise(ascii('something else'))).toMatchObject({ format: 'unknown', guest: 'unknown', end: { reason: 'lost' } })
    expect(await summarise(zeros(0))).toMatchObject({ format: 'unknown', end: { reason: 'eof' } })
    expect(createSummary().finish()).toMatchObject({ format: 'unknown', end: { reason: 'none' } })
  })
})

describe('the configuration of an xl file', () => {
  const withConfig = (text: string, mandatory = 3): ReturnType<typeof summarise> => {
    const block = ascii(text)
    return summarise({ ...xl, header: xlHeader({ mandatory, length: 4 + block.length }), block: xlBlock(block) })
  }

  it('tells a PVH guest from an HVM one', async () => {
    expect((await withConfig('{"c_info":{"type":"pvh"}}\0')).guest).toBe('pvh')
    expect((await withConfig('{"c_info":{"type":"hvm"}}\0')).guest).toBe('hvm')
  })

  it('is read in the form that the header announces', async () => {
    expect((await withConfig('{"c_info":{"name":"g"}}\0')).config).toMatchObject({ kind: 'json', name: 'g' })
    expect((await withConfig('name = "g"\n', 2)).config).toMatchObject({ kind: 'text', name: 'g' })
  })

  it('may be missing', async () => {
    expect((await withConfig('')).config).toBeUndefined()
    expect((await summarise({ ...xl, header: xlHeader({ length: 2 }), block: piece(zeros(2)) })).config).toBeUndefined()
  })
})

describe('the guest', () => {
  it('of a PV image has a width, page-table levels, its pfns and its vCPUs', async () => {
    const tsc = record(0x08, join(words(1, 2_000_000), longs(5n), words(3, 0)))
    const image = { ...pv, info: pvInfo(4, 3), p2m: p2m(0, 1023, 0n), vcpu: [vcpuBasic({ id: 1, cr3: 0x5000n }), vcpuBasic()], beforeEnd: tsc }
    expect(await summarise(image)).toMatchObject({
      guest: 'pv',
      libxc: {
        width: 32,
        pageTableLevels: 3,
        maxPfn: 1023,
        vcpus: [
          { id: 0, cr3Pfn: 1 },
          { id: 1, mode: 'x86_64', cr3Pfn: 5 },
        ],
        tsc: { mode: 1, khz: 2_000_000, nsec: 5n, incarnation: 3 },
      },
    })
  })

  it('of an HVM image has parameters by name, policies and a context', async () => {
    const params = record(0x0a, join(words(3, 0), longs(1n, 0xfeffcn, 99n, 7n)))
    const policies = [record(0x11, zeros(48)), record(0x12, zeros(16))]
    const context = record(0x09, join(words(1, 24), zeros(24), words(0x0001_0002, 1032), zeros(1032), words(0, 0)))
    expect((await summarise({ ...hvm, context, atStart: policies, beforeEnd: params })).libxc).toMatchObject({
      cpuidLeaves: 2,
      msrs: 1,
      hvmContext: { whole: true, records: [{ name: 'HEADER', count: 1, bytes: 24 }, { name: 'CPU' }] },
      vcpus: [{ id: 1, mode: 'real' }],
      hvmParams: [
        { index: 1n, name: 'STORE_PFN', value: 0xfeffcn },
        { index: 99n, name: undefined, value: 7n },
      ],
    })
  })

  it('of an image with every PV record is there in full', async () => {
    const { libxc, guest } = await summarise(vector('ok_xc_v3_pv64'))
    expect(guest).toBe('pv')
    expect(libxc?.memory).toMatchObject({ batches: 1, pfns: 9, populated: 8, types: { 'L4TAB-pinned': 1, XTAB: 1 } })
    expect(libxc?.vcpus).toHaveLength(1)
  })

  it('is not told by bodies that are too short, too long or of a wrong size', async () => {
    const odd = [record(0x02, zeros(1)), record(0x03, zeros(4)), record(0x08, zeros(8)), record(0x04, zeros(16)), record(0x0a, zeros(4)), record(0x05, zeros(8))]
    const long = piece(words(0x09, 0x0200_0000))
    expect((await summarise({ ...hvm, context: [], beforeEnd: odd, end: long })).libxc).toMatchObject({
      width: undefined,
      maxPfn: undefined,
      tsc: undefined,
      vcpus: [],
      hvmParams: [],
      hvmContext: undefined,
    })
  })
})

describe('the end of an image', () => {
  it('is where the bytes run out', async () => {
    expect((await summarise(build(hvm).bytes.subarray(0, 60))).end).toMatchObject({ reason: 'cut', layer: 'libxc', during: 'body', offset: 60 })
  })

  it('leaves complete checkpoints, and says when a partial one follows', async () => {
    expect(await summarise(remus)).toMatchObject({ checkpoints: { complete: 1, partial: false }, emulator: { id: 2, name: 'qemu' } })
    expect((await summarise({ ...remus, behind: record(0x01) })).checkpoints).toEqual({ complete: 1, partial: true })
    expect((await summarise({ ...remus, checkpointEnd: [] })).checkpoints).toEqual({ complete: 0, partial: false })
    expect((await summarise({ ...hvm, beforeEnd: [record(0x0e)] })).checkpoints).toEqual({ complete: 1, partial: false })
    expect((await summarise({ ...hvm, end: record(0x0e), behind: cut(theEnd, 0) })).checkpoints).toEqual({ complete: 1, partial: false })
  })

  it('leaves its records counted by kind, unknown ones by number', async () => {
    const { records } = await summarise({ ...libxl, behindImage: [record(0x77), emulator()] })
    expect(records).toEqual({
      total: 9,
      byName: { 'libxl LIBXC_CONTEXT': 1, 'libxc STATIC_DATA_END': 1, 'libxc PAGE_DATA': 1, 'libxc HVM_CONTEXT': 1, 'libxc END': 1, 'libxl 0x77': 1, 'libxl EMULATOR_CONTEXT': 2, 'libxl END': 1 },
    })
  })

  it('may be preceded by padding that is not zero, which a summary passes over', async () => {
    expect((await summarise({ ...hvm, beforeEnd: record(0x12, zeros(4), { padding: 1 }) })).end.reason).toBe('end')
  })
})

it('a header that comes before any image header of its kind is taken in without harm', async () => {
  const summariser = createSummary()
  for await (const item of walk(new ByteReader(sourceOfBytes(build(hvm).bytes)))) {
    if (item.kind !== 'image-header') await summariser.item(item)
  }
  expect(summariser.finish().libxc).toBeUndefined()
})
