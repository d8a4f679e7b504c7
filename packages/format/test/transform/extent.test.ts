import { describe, expect, it } from 'vitest'
import { measure } from '../../src/transform/extent.ts'
import { imageOfBytes } from '../../src/transform/image-bytes.ts'
import { context, emulator, entryWords, flat, hvm, imageHeader, domainHeader, join, libxl, libxlHeader, p2m, page, pageData, piece, pv, pvInfo, record, remus, vcpuBasic, words, xl, zeros, type Part } from '../rules/image-builder.ts'
import { vector } from '../vectors.ts'
import { bytesOf, imageOf, offsetOf } from './images.ts'

const checkpoint = record(0x0e)
const checkpointEnd = record(0x04)
const state = record(0x05, words(0))

describe('how much of a plain image counts', () => {
  it('is all of it, whatever its container', async () => {
    expect(await measure(imageOf(hvm))).toMatchObject({ format: 'libxc', kind: 'plain', whole: true, checkpoints: 0, broken: undefined, dropped: { records: 0, bytes: 0 } })
    expect(await measure(imageOf(libxl))).toMatchObject({ format: 'libxl', whole: true })
    expect(await measure(imageOf(xl))).toMatchObject({ format: 'xl', whole: true })
    expect(await measure(imageOf(pv))).toMatchObject({ format: 'libxc', whole: true })
  })

  it('ends where the libxl part breaks off behind the memory', async () => {
    const bytes = bytesOf(libxl)
    const until = offsetOf(libxl, 'beforeEnd')
    expect(await measure(imageOfBytes(bytes.subarray(0, until)))).toMatchObject({ until, whole: false, broken: { offset: until, why: 'the image ends where more was to come' } })
    const emulatorAt = offsetOf(libxl, 'emulator')
    expect(await measure(imageOfBytes(bytes.subarray(0, until - 1)))).toMatchObject({ until: emulatorAt, whole: false, dropped: { bytes: until - 1 - emulatorAt } })
    expect(await measure(imageOfBytes(bytes.subarray(0, emulatorAt + 3)))).toMatchObject({ until: emulatorAt, broken: { why: 'the image ends within a record' } })
  })

  it('is nothing when it ends before its END, wherever', async () => {
    const bytes = bytesOf(xl)
    const end = bytes.length - 8 - 24 // behind the libxc END come the emulator record and END
    for (let cut = 0; cut < end; cut++) await expect(measure(imageOfBytes(bytes.subarray(0, cut)))).rejects.toMatchObject({ code: 'FMT_NO_STATE' })
    expect(await measure(imageOfBytes(bytes.subarray(0, end)))).toMatchObject({ whole: false })
  })

  it('is nothing when no libxc image is in it', () => expect(measure(imageOfBytes(vector('bad_xl2_no_xc')))).rejects.toMatchObject({ code: 'FMT_NO_STATE' }))

  it('cannot be told of an image from before Xen 4.6', () =>
    expect(measure(imageOfBytes(Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0])))).rejects.toMatchObject({ code: 'FMT_LEGACY', hint: expect.stringContaining('xr convert') as string }))

  it('is nothing when the header is damaged', () => expect(measure(imageOfBytes(bytesOf({ ...hvm, image: imageHeader({ version: 4 }) })))).rejects.toMatchObject({ code: 'FMT_NO_STATE', offset: 24 }))
})

describe('how much of a series of checkpoints counts', () => {
  const more = [pageData([[17, 0]], page()), context, checkpoint, emulator(), checkpointEnd]

  it('is up to the last complete one, whatever came after it', async () => {
    const bytes = bytesOf({ ...remus, behind: more })
    const first = offsetOf(remus, 'behind')
    for (let cut = first; cut < bytes.length; cut++) {
      expect(await measure(imageOfBytes(bytes.subarray(0, cut)))).toMatchObject({ kind: 'checkpoints', checkpoints: 1, until: first, whole: cut === first, dropped: { bytes: cut - first } })
    }
    expect(await measure(imageOfBytes(bytes))).toMatchObject({ checkpoints: 2, until: bytes.length, whole: true })
  })

  it('is nothing before the first one is complete', async () => {
    const bytes = bytesOf(remus)
    for (let cut = 0; cut < bytes.length; cut++) await expect(measure(imageOfBytes(bytes.subarray(0, cut)))).rejects.toMatchObject({ code: 'FMT_NO_STATE' })
  })

  it('is up to the CHECKPOINT in a bare libxc image', async () => {
    const bare = { ...hvm, end: checkpoint }
    expect(await measure(imageOf(bare))).toMatchObject({ kind: 'checkpoints', checkpoints: 1, whole: true })
    expect(await measure(imageOf({ ...bare, behind: pageData([[17, 0xf]]) }))).toMatchObject({ until: offsetOf(bare, 'behind'), whole: false, dropped: { records: 1 } })
  })

  it('does not take in what an END comes behind', async () => {
    expect(await measure(imageOf({ ...hvm, end: checkpoint, behind: record(0) }))).toMatchObject({ whole: true })
    expect(await measure(imageOf({ ...hvm, end: checkpoint, behind: [pageData([[17, 0xf]]), record(0)] }))).toMatchObject({ whole: false, dropped: { records: 1 } })
    expect(await measure(imageOf({ ...remus, behind: [record(0), record(0)] }))).toMatchObject({ whole: true })
  })

  it('is not lessened by what COLO says between checkpoints', async () =>
    expect(await measure(imageOf({ ...remus, behind: state }))).toMatchObject({ checkpoints: 1, whole: true, until: offsetOf(remus, 'behind') }))

  it('ends where the stream of a libxl checkpoint ends for good', async () => {
    const twice = { ...remus, behind: [checkpoint, record(0)] }
    expect(await measure(imageOf(twice))).toMatchObject({ checkpoints: 1, whole: false })
    await expect(measure(imageOf({ ...remus, checkpointEnd: record(0) }))).rejects.toMatchObject({ code: 'FMT_NO_STATE' })
  })

  it('is found although padding is not zero', async () => expect(await measure(imageOf({ ...remus, emulator: record(3, zeros(9), { padding: 1 }) }))).toMatchObject({ whole: true }))
})

describe('a damaged record ends what counts', () => {
  const bad: Readonly<Record<string, Part>> = {
    'an unknown mandatory type': record(0x13),
    'a type of no use here': record(0x0b),
    'a record of the other kind of guest': pvInfo(),
    'a clock of another length': record(0x08, zeros(20)),
    'parameters that do not add up': record(0x0a, join(words(3, 0), zeros(16))),
    'more parameters than there are': record(0x0a, words(300, 0), { length: 8 + 16 * 300 }),
    'an empty context': record(0x09),
    'policies cut in the middle': record(0x11, zeros(23)),
    'an empty MSR policy': record(0x12),
    'a second STATIC_DATA_END': record(0x10),
    'PAGE_DATA of no pages': record(1, words(0, 0)),
    'PAGE_DATA with a page too many': pageData([[17, 0xf]], page()),
    'PAGE_DATA of a type that is no type': pageData([[17, 0x5]], page()),
    'a record longer than any may be': record(0x8000_0000, zeros(0), { length: 0x0800_0008 }),
  }
  it.each(Object.entries(bad))('%s', async (_what, part) => {
    const stream = { ...remus, behind: [part, checkpoint, checkpointEnd] }
    const first = offsetOf(stream, 'behind')
    expect(await measure(imageOf(stream))).toMatchObject({ checkpoints: 1, until: first, whole: false, broken: { offset: first, record: 7 } })
    await expect(measure(imageOf({ ...hvm, beforeEnd: part }))).rejects.toMatchObject({ code: 'FMT_NO_STATE', offset: offsetOf(hvm, 'beforeEnd') })
  })

  const badPv: Readonly<Record<string, readonly [name: keyof typeof pv, part: Part]>> = {
    'X86_PV_INFO too short': ['info', record(2, zeros(4))],
    'X86_PV_P2M_FRAMES that go backwards': ['p2m', p2m(2, 1, 0n)],
    'X86_PV_P2M_FRAMES before the static data end': ['info', p2m(0, 1, 0n)],
    'pages before the static data end': ['info', pageData([[0, 0]], page())],
    'a pfn beyond the last': ['beforeVcpu', pageData([[2, 0]], page())],
    'a vCPU number beyond all': ['beforeVcpu', vcpuBasic({ id: 8192 })],
    'SHARED_INFO of another length': ['beforeVcpu', record(7, zeros(4095))],
    'a vCPU record without a number': ['beforeVcpu', record(5, zeros(4))],
  }
  it.each(Object.entries(badPv))('PV: %s', async (_what, [name, part]) => {
    await expect(measure(imageOf({ ...pv, [name]: part }))).rejects.toMatchObject({ code: 'FMT_NO_STATE', offset: offsetOf(pv, name) })
  })

  const badLibxl: Readonly<Record<string, readonly Part[]>> = {
    'an unknown type': [record(6)],
    'a device model state without its head': [record(3, zeros(4))],
    'more xenstore keys than any device model has': [record(2, zeros(8), { length: 0x20_0000 })],
    'a second libxc image': [record(1), ...flat(hvm)],
    'CHECKPOINT_END without a checkpoint': [checkpointEnd],
    'CHECKPOINT_STATE without a state': [record(5, zeros(0))],
  }
  it.each(Object.entries(badLibxl))('libxl: %s', async (_what, parts) =>
    expect(await measure(imageOf({ ...libxl, behindImage: parts }))).toMatchObject({ until: offsetOf(libxl, 'behindImage'), whole: false, broken: { offset: offsetOf(libxl, 'behindImage') } }))

  it('a device model in a PV guest', async () => {
    const stream = { header: libxlHeader(), libxcContext: record(1), image: flat(pv), emulator: emulator(), end: record(0) }
    expect(await measure(imageOf(stream))).toMatchObject({ whole: false, until: offsetOf(stream, 'emulator') })
  })

  it('a domain header of a type that is none', () => expect(measure(imageOf({ ...hvm, domain: domainHeader({ type: 3 }) }))).rejects.toMatchObject({ code: 'FMT_NO_STATE', offset: 24 }))

  it('an image of version 2 with a STATIC_DATA_END is taken as Xen takes it', async () =>
    expect(await measure(imageOf({ ...hvm, image: imageHeader({ version: 2 }), atStart: record(0x10) }))).toMatchObject({ whole: true }))

  it('unknown records that may be skipped are skipped, empty vCPU records too', async () => {
    expect(await measure(imageOf({ ...hvm, beforeEnd: record(0x8000_0000, zeros(3)) }))).toMatchObject({ whole: true })
    expect(await measure(imageOf({ ...pv, beforeEnd: record(5, words(9999, 0)) }))).toMatchObject({ whole: true })
  })

  it('a cut front of PAGE_DATA is a cut', async () => {
    const stream = { ...remus, behind: piece(join(words(1, 8 + 16), words(2, 0), entryWords([[1, 0xf]]))) }
    expect(await measure(imageOf(stream))).toMatchObject({ checkpoints: 1, broken: { why: 'the image ends within a record', record: undefined } })
    const short = { ...remus, behind: piece(join(words(0x0a, 24), zeros(4))) }
    expect(await measure(imageOf(short))).toMatchObject({ checkpoints: 1, broken: { why: 'the image ends within a record' } })
  })

  it('tells how far it has come', async () => {
    const seen: number[] = []
    await measure(imageOf(xl), (offset) => seen.push(offset))
    expect(seen.length).toBeGreaterThan(5)
    expect([...seen].sort((a, b) => a - b)).toEqual(seen)
  })
})
