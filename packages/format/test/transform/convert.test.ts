import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { verify } from '../../src/rules/verify.ts'
import { convertImage, convertWarnings, type ConvertOptions, type ConvertWarning } from '../../src/transform/convert.ts'
import { ascii, context, emulator, flat, hvm, imageHeader, join, libxl, libxlHeader, page, pageData, piece, pv, record, remus, words, xl, xlBlock, xlHeader, zeros } from '../rules/image-builder.ts'
import { vector } from '../vectors.ts'
import { bytesOf, gathered } from './images.ts'

interface Converted {
  readonly bytes: Uint8Array
  readonly warnings: readonly ConvertWarning[]
}
async function converted(bytes: Uint8Array, options: ConvertOptions): Promise<Converted> {
  const warnings: ConvertWarning[] = []
  const out = await gathered(convertImage(new ByteReader(sourceOfBytes(bytes)), { ...options, onWarning: (warning) => warnings.push(warning) }))
  return { bytes: out, warnings }
}
const bytesTo = async (bytes: Uint8Array, to: ConvertOptions['to']): Promise<Uint8Array> => (await converted(bytes, { to })).bytes

const bareXl = { header: xlHeader({ mandatory: 1 }), block: xlBlock(), stream: flat(hvm) }

describe('another container', () => {
  it('holds the same records', async () => {
    expect(await bytesTo(bytesOf(xl), 'libxl-v2')).toEqual(bytesOf(libxl))
    expect(await bytesTo(bytesOf(xl), 'libxc-v3')).toEqual(bytesOf(hvm))
    expect(await bytesTo(bytesOf(libxl), 'libxc-v3')).toEqual(bytesOf(hvm))
    expect(await bytesTo(bytesOf(hvm), 'libxl-v2')).toEqual(bytesOf({ ...libxl, emulator: [] }))
    for (const [layout, to] of [[hvm, 'libxc-v3'], [libxl, 'libxl-v2'], [xl, 'xl']] as const) expect(await bytesTo(bytesOf(layout), to)).toEqual(bytesOf(layout))
  })

  it('keeps the configuration, the flags and what xl does not know of an xl file', async () => {
    const odd = { header: xlHeader({ mandatory: 0x8000_0001, optional: 5, length: 12 }), block: piece(join(words(4), ascii('{}\0\0'), ascii('more'))), stream: flat(libxl) }
    const marked = { ...odd, header: xlHeader({ mandatory: 0x8000_0003, optional: 5, length: 12 }) }
    expect(await bytesTo(bytesOf(odd), 'xl')).toEqual(bytesOf(marked))
  })

  it('takes a bare image in an xl file for what it is', async () => {
    expect(await bytesTo(bytesOf(bareXl), 'xl')).toEqual(bytesOf({ ...bareXl, header: xlHeader(), stream: flat({ ...libxl, emulator: [] }) }))
    expect((await converted(bytesOf(bareXl), { to: 'libxc-v3' })).warnings).toEqual(['config-dropped'])
  })

  it('of version 3 says where static data end, as version 2 implies it', async () => {
    const two = { ...pv, image: imageHeader({ version: 2 }), staticEnd: [] }
    expect(await bytesTo(bytesOf(two), 'libxc-v3')).toEqual(bytesOf(pv))
    expect(await bytesTo(bytesOf({ ...two, staticEnd: record(0x10) }), 'libxc-v3')).toEqual(bytesOf(pv))
    expect(await bytesTo(bytesOf(two), 'libxl-v2')).toEqual(bytesOf({ header: libxlHeader(), libxcContext: record(1), image: flat(two), end: record(0) }))
    const hvmTwo = { ...hvm, image: imageHeader({ version: 2 }), staticEnd: [] }
    expect(await bytesTo(bytesOf(hvmTwo), 'libxc-v3')).toEqual(bytesOf(hvm))
    expect(await bytesTo(bytesOf({ ...hvmTwo, pages: [] }), 'libxc-v3')).toEqual(bytesOf({ ...hvm, staticEnd: [], pages: [], beforeEnd: record(0x10) }))
    for (const name of ['ok_xc_v2_hvm', 'ok_xc_v2_pv64']) {
      const { verdict } = await verify(new ByteReader(sourceOfBytes(await bytesTo(vector(name), 'libxc-v3'))))
      expect(verdict).toEqual({ strict: 'accept', xen: 'accept', verifier: 'accept' })
    }
  })

  it('passes through padding that is not zero', async () => {
    const layout = { ...xl, stream: flat({ ...libxl, image: flat({ ...hvm, beforeEnd: record(0x8000_0000, zeros(3), { padding: 7 }) }), emulator: record(3, zeros(9), { padding: 8 }) }) }
    expect(await bytesTo(bytesOf(layout), 'xl')).toEqual(bytesOf(layout))
    expect(await bytesTo(bytesOf(layout), 'libxc-v3')).toEqual(bytesOf({ ...hvm, beforeEnd: record(0x8000_0000, zeros(3), { padding: 7 }) }))
    const end = { ...hvm, end: record(0, zeros(3), { padding: 7 }) }
    expect(await bytesTo(bytesOf(end), 'libxl-v2')).toEqual(bytesOf({ ...libxl, image: flat(end), emulator: [] }))
  })

  it('passes through PAGE_DATA as it stands, faults included', async () => {
    const odd = { ...hvm, pages: [pageData([[1, 0, 5], [2, 0xf]], page(3), 9), record(1, words(0, 0))] }
    expect(await bytesTo(bytesOf(odd), 'libxc-v3')).toEqual(bytesOf(odd))
  })

  it('takes the image in whatever pieces it comes', async () => {
    const bytes = bytesOf(xl)
    const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.slice(7 * i, 7 * i + 7))
    expect(await gathered(convertImage(new ByteReader(sourceOfChunks(chunks)), { to: 'xl' }))).toEqual(bytes)
  })
})

describe('what is given for the new container', () => {
  it('takes the place of the configuration; JSON ends in a NUL, an xl.cfg does not', async () => {
    const json = xlBlock(ascii('{"a":1}\0'))
    const wanted = { header: xlHeader({ length: 12 }), block: json, stream: flat(libxl) }
    for (const text of ['{"a":1}', '{"a":1}\0']) {
      for (const from of [libxl, xl]) expect(await converted(bytesOf(from), { to: 'xl', config: { kind: 'json', bytes: ascii(text) } })).toEqual({ bytes: bytesOf(wanted), warnings: [] })
    }
    const cfg = { header: xlHeader({ mandatory: 2, length: 10 }), block: xlBlock(ascii('name=1')), stream: flat(libxl) }
    expect((await converted(bytesOf(xl), { to: 'xl', config: { kind: 'text', bytes: ascii('name=1') } })).bytes).toEqual(bytesOf(cfg))
  })

  it('becomes the device model’s state of a bare image', async () => {
    expect(await converted(bytesOf(hvm), { to: 'libxl-v2', emulator: ascii('QEVM') })).toEqual({ bytes: bytesOf({ ...libxl, emulator: emulator() }), warnings: [] })
    expect((await converted(bytesOf(pv), { to: 'libxl-v2' })).warnings).toEqual([])
  })
})

describe('what gets lost', () => {
  it('is told once', async () => {
    expect((await converted(bytesOf(xl), { to: 'libxl-v2' })).warnings).toEqual(['config-dropped'])
    expect((await converted(bytesOf({ ...libxl, emulator: [record(2, words(2, 0)), emulator()] }), { to: 'libxc-v3' })).warnings).toEqual(['emulator-dropped'])
    expect((await converted(bytesOf(libxl), { to: 'xl' })).warnings).toEqual(['no-config'])
    expect((await converted(bytesOf(hvm), { to: 'xl' })).warnings).toEqual(['no-config', 'no-emulator'])
    expect((await converted(bytesOf({ ...xl, header: xlHeader({ length: 4 }), block: xlBlock(zeros(0)) }), { to: 'xl' })).warnings).toEqual(['no-config'])
    expect(Object.values(convertWarnings).every((text) => text.length > 20)).toBe(true)
    expect(await gathered(convertImage(new ByteReader(sourceOfBytes(bytesOf(xl))), { to: 'libxc-v3' }))).toEqual(bytesOf(hvm))
  })
})

describe('a legacy image', () => {
  it.each(['hvm64', 'hvm32', 'pv64', 'pv32on64'])('%s becomes what Xen’s converter makes of it', async (name) => {
    expect(await bytesTo(vector(`legacy/legacy_${name}`), 'libxl-v2')).toEqual(vector(`legacy/legacy_${name}.libxl`))
    expect(await bytesTo(vector(`legacy/legacy_${name}`), 'libxc-v3')).toEqual(vector(`legacy/legacy_${name}.libxc`))
  })

  it('inside an xl file keeps its configuration and loses the mark of a legacy one', async () => {
    const start = { block: xlBlock(), stream: piece(vector('legacy/legacy_hvm64')) }
    const wanted = { ...start, stream: piece(vector('legacy/legacy_hvm64.libxl')) }
    expect(await bytesTo(bytesOf({ header: xlHeader({ mandatory: 1 }), ...start }), 'xl')).toEqual(bytesOf({ header: xlHeader({ mandatory: 3 }), ...wanted }))
    expect(await bytesTo(bytesOf({ header: xlHeader({ mandatory: 1 }), ...start }), 'libxl-v2')).toEqual(bytesOf({ stream: wanted.stream }))
  })
})

describe('a series of checkpoints', () => {
  const wrapped = { header: xlHeader(), block: xlBlock(), stream: flat(remus) }

  it('changes its outer container only', async () => {
    expect(await bytesTo(bytesOf(wrapped), 'libxl-v2')).toEqual(bytesOf(remus))
    expect(await bytesTo(bytesOf(remus), 'libxl-v2')).toEqual(bytesOf(remus))
    const bare = { ...hvm, end: record(0x0e), behind: context }
    expect(await converted(bytesOf(bare), { to: 'libxc-v3' })).toEqual({ bytes: bytesOf(bare), warnings: [] })
    await expect(bytesTo(bytesOf(remus), 'libxc-v3')).rejects.toMatchObject({ code: 'FMT_CHECKPOINTED', record: 4, hint: expect.stringContaining('xr repair') as string })
    await expect(bytesTo(bytesOf(bare), 'xl')).rejects.toMatchObject({ code: 'FMT_CHECKPOINTED' })
  })

  it('stays cut where it was', async () => {
    const cut = bytesOf({ ...remus, behind: pageData([[1, 0]], page()) })
    expect(await converted(cut.subarray(0, -100), { to: 'libxl-v2' })).toEqual({ bytes: cut.subarray(0, -100), warnings: ['tail-cut'] })
  })
})

describe('an image that cannot be converted', () => {
  it('is one that ends before its END', async () => {
    const bytes = bytesOf(xl)
    for (let cut = 8; cut < bytes.length; cut++) await expect(bytesTo(bytes.subarray(0, cut), 'libxc-v3')).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: cut })
  })

  it('is one of an unknown version', async () => {
    await expect(bytesTo(bytesOf({ ...libxl, header: libxlHeader({ version: 3 }) }), 'xl')).rejects.toMatchObject({ code: 'FMT_CONVERT', offset: 16 })
  })
})
