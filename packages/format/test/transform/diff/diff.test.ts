import { describe, expect, it } from 'vitest'
import { imageOfBytes, type ImageBytes } from '../../../src/transform/image-bytes.ts'
import { diffImages, type ImageDiff } from '../../../src/transform/diff/diff.ts'
import { plainImage } from '../../../src/transform/repair.ts'
import { readSnapshot } from '../../../src/transform/snapshot.ts'
import { ascii, context, emulator, hvm, imageHeader, join, libxl, longs, p2m, page, pageData, pv, record, remus, vcpuBasic, words, xenstore, xl, xlBlock, xlHeader, zeros, type Entry, type Layout, type Part } from '../../rules/image-builder.ts'
import { filledPages, gathered, imageOf } from '../images.ts'

async function diff(a: ImageBytes, b: ImageBytes, limit = 1000, onProgress?: (done: number, total: number) => void): Promise<ImageDiff> {
  const [left, right] = [{ image: a, snapshot: await readSnapshot(a) }, { image: b, snapshot: await readSnapshot(b) }]
  const steps = diffImages(left, right, { limit, ...(onProgress && { onProgress }) })
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
const between = (a: Layout, b: Layout): Promise<ImageDiff> => diff(imageOf(a), imageOf(b))
const none = { total: 0, list: [] }
/** The device model’s record, of a bit more than a megabyte. */
const big = (last: number): Uint8Array => {
  const bytes = new Uint8Array(16 + 0x18_0000)
  bytes.set(words(3, 0x18_0008, 2, 0))
  bytes[bytes.length - 1] = last
  return bytes
}
const run = (from: number, count = 1) => ({ from, count })

describe('two images', () => {
  it('are the same when nothing differs', async () => {
    for (const layout of [hvm, pv, libxl, xl, remus]) expect(await between(layout, layout)).toMatchObject({ same: true, sameGuest: true, headers: none, config: none, records: [], state: none })
  })

  it('hold the same guest when only their packing differs', async () => {
    const image = imageOf({ ...remus, behind: [pageData([[16, 0]], page(1)), record(0x0e), emulator(), record(4)] })
    const plain = imageOfBytes(await gathered(plainImage(image, await readSnapshot(image))))
    const found = await diff(image, plain)
    expect(found).toMatchObject({ same: false, sameGuest: true, headers: none, state: none })
    expect(found.records).toEqual([{ name: 'PAGE_DATA', a: 2, b: 1 }, { name: 'CHECKPOINT', a: 2, b: 0 }, { name: 'EMULATOR_CONTEXT', a: 2, b: 1 }, { name: 'CHECKPOINT_END', a: 2, b: 0 }, { name: 'END', a: 0, b: 1 }])
  })

  it('differ in their headers', async () => {
    expect((await between(hvm, { ...hvm, image: imageHeader({ options: 4 }) })).headers.list).toEqual([{ path: 'libxc.options', a: 0, b: 4 }])
    const { headers, sameGuest } = await between(xl, libxl)
    expect(headers.list).toMatchObject([{ path: 'xl', b: undefined }])
    expect(sameGuest).toBe(false) // one has a configuration
    expect((await between(libxl, hvm)).headers.list).toMatchObject([{ path: 'libxl', b: undefined }])
  })

  it('differ in unknown records', async () =>
    expect((await between(hvm, { ...hvm, beforeEnd: record(0x8000_0007) })).records).toEqual([{ name: '0x80000007', a: 0, b: 1 }]))
})

describe('configurations', () => {
  const withConfig = (text: string, mandatory = 3): Layout => ({ ...xl, header: xlHeader({ mandatory, length: 4 + text.length }), block: xlBlock(ascii(text)) })
  const changes = async (a: Layout, b: Layout) => (await between(a, b)).config.list

  it('differ by the names of their parts', async () => {
    expect(await changes(withConfig('{"a":{"b":1},"c":[1]}\0'), withConfig('{"a":{"b":2},"d":3}\0'))).toEqual([
      { path: 'a.b', a: 1, b: 2 },
      { path: 'c', a: [1], b: undefined },
      { path: 'd', a: undefined, b: 3 },
    ])
    expect(await changes(withConfig('{"a" : 1}'), withConfig('{"a":1}\0'))).toEqual([])
  })

  it('that are text differ by lines', async () => {
    expect(await changes(withConfig('a=1\nb=2', 2), withConfig('a=1\nb=3', 2))).toEqual([{ path: '[1]', a: 'b=2', b: 'b=3' }])
    expect(await changes(withConfig('{"a":'), withConfig('{"a":1'))).toEqual([{ path: '[0]', a: '{"a":', b: '{"a":1' }])
  })

  it('may be missing', async () => {
    expect(await changes(withConfig(''), xl)).toEqual([{ path: '', a: undefined, b: {} }])
    expect(await changes({ ...xl, header: xlHeader({ length: 0 }), block: [] }, withConfig('\0'))).toEqual([])
  })
})

describe('the state of guests', () => {
  const paths = async (a: Layout, b: Layout): Promise<readonly string[]> => (await between(a, b)).state.list.map(({ path }) => path)
  const params = (...values: readonly (readonly [index: number, value: number])[]): Part => record(0x0a, join(words(values.length, 0), ...values.map(([index, value]) => words(index, 0, value, 0))))

  it('differs by registers', async () => {
    expect(await paths(pv, { ...pv, vcpu: vcpuBasic({ cr1: 0x5001n }) })).toEqual(['vcpu0.BASIC.state.context.ctrlreg[1]'])
    expect(await paths(pv, { ...pv, vcpu: [vcpuBasic(), vcpuBasic({ id: 1 })] })).toEqual(['vcpu1'])
    const tsc = (khz: number): Part => record(8, join(words(0, khz, 1, 0, 0, 0)))
    expect(await paths({ ...hvm, beforeEnd: tsc(1) }, { ...hvm, beforeEnd: tsc(2) })).toEqual(['X86_TSC_INFO.khz'])
    expect(await paths({ ...pv, beforeEnd: record(7, page(0)) }, { ...pv, beforeEnd: record(7, page(1)) })).not.toEqual([])
    expect(await paths(pv, { ...pv, p2m: p2m(0, 2, 0n) })).toEqual(['X86_PV_P2M_FRAMES.endPfn'])
    expect(await paths(pv, { ...pv, beforeVcpu: p2m(0, 1, 0n) })).toEqual(['X86_PV_P2M_FRAMES#1'])
  })

  it('differs by the records of the virtual hardware', async () => {
    const hardware = (...records: readonly Uint8Array[]): Layout => ({ ...hvm, context: record(9, join(...records, words(0, 0))) })
    const pmtimer = (instance: number, value: number): Uint8Array => join(words(13 | (instance << 16), 8), words(value, 0))
    expect(await paths(hardware(pmtimer(0, 1)), hardware(pmtimer(0, 2)))).toEqual(['HVM_CONTEXT.PMTIMER0.tmrVal'])
    expect(await paths(hardware(pmtimer(0, 1)), hardware(pmtimer(0, 1), pmtimer(0, 1)))).toEqual(['HVM_CONTEXT.PMTIMER0#2'])
    const unknown = (value: number): Uint8Array => join(words(99, 4), words(value))
    expect(await paths(hardware(unknown(1)), hardware(unknown(2)))).toEqual(['HVM_CONTEXT.990'])
    expect(await paths(hvm, { ...hvm, context: record(9, zeros(3)) })).toEqual(['HVM_CONTEXT'])
    expect(await paths(hvm, { ...hvm, context })).toEqual([])
  })

  it('differs by parameters and policies, by their names', async () => {
    expect(await paths({ ...hvm, beforeEnd: params([1, 5], [200, 1]) }, { ...hvm, beforeEnd: params([1, 6], [200, 2]) })).toEqual(['HVM_PARAMS.STORE_PFN.value', 'HVM_PARAMS.0xc8.value'])
    const cpuid = (...rows: readonly (readonly [leaf: number, a: number])[]): Layout => ({ ...hvm, atStart: record(0x11, join(...rows.map(([leaf, a]) => words(leaf, 0, a, 0, 0, 0)))) })
    expect(await paths(cpuid([1, 1], [2, 2]), cpuid([2, 3]))).toEqual([expect.stringMatching(/^X86_CPUID_POLICY\.1\./), expect.stringMatching(/^X86_CPUID_POLICY\.2\..*\.a$/)])
    const msr = (index: number, value: bigint): Layout => ({ ...hvm, atStart: record(0x12, join(words(index, 0), longs(value))) })
    expect(await paths(msr(0xce, 1n), msr(0xce, 2n))).toEqual([expect.stringMatching(/^X86_MSR_POLICY\.[A-Z_]+\.value$/)])
    expect(await paths(msr(0x7777, 1n), msr(0x7777, 2n))).toEqual(['X86_MSR_POLICY.30583.value'])
  })

  it('differs by the keys of the device model', async () => {
    const keys = (part: Part): Layout => ({ ...libxl, emulator: [part, emulator()] })
    expect(await paths(keys(xenstore('a', '\0', 'b', '\0')), keys(xenstore('a', '\0', 'c', '\0')))).toEqual(['EMULATOR_XENSTORE_DATA.a.value'])
    expect(await paths(keys(xenstore('a')), keys(xenstore('b')))).toEqual(['EMULATOR_XENSTORE_DATA'])
  })

  it('differs by the state of the device model', async () => {
    const state = (...values: readonly number[]): Layout => ({ ...libxl, emulator: record(3, join(words(2, 0), Uint8Array.from(values))) })
    expect((await between(state(1, 2, 3), state(1, 5, 3))).emulator).toEqual({ same: false, a: 11, b: 11, firstDifference: 9 })
    expect((await between(state(1, 2), state(1, 2, 3))).emulator).toEqual({ same: false, a: 10, b: 11, firstDifference: null })
    expect((await between(state(1), { ...libxl, emulator: [] })).emulator).toEqual({ same: false, a: 9, b: null, firstDifference: null })
    const large = (last: number): Layout => ({ ...libxl, emulator: { bytes: big(last), isRecord: true } })
    expect((await between(large(1), large(2))).emulator).toMatchObject({ same: false, firstDifference: 0x18_0007 })
  })
})

describe('memory', () => {
  const memory = (entries: readonly Entry[], ...fills: readonly number[]): Layout => ({ ...hvm, pages: filledPages(entries, fills) })

  it('differs by pages that only one has', async () => {
    const { pages, same } = await between(memory([[1, 0], [2, 0], [3, 0], [9, 0], [10, 0xf]], 1, 1, 1, 1), memory([[3, 0], [4, 0xe], [9, 0xf], [20, 0]], 1, 1))
    expect(pages).toEqual({
      a: 4,
      b: 3,
      onlyA: { pages: 3, total: 2, list: [run(1, 2), run(9)] },
      onlyB: { pages: 2, total: 2, list: [run(4), run(20)] },
      types: { pages: 0, ...none },
      contents: { pages: 0, ...none },
      compared: 1,
    })
    expect(same).toBe(false)
  })

  it('differs by contents, in any byte', async () => {
    const many = Array.from({ length: 600 }, (_, i): Entry => [i, 0])
    const a = filledPages(many, many.map(() => 5))
    const b = new Uint8Array(a.bytes)
    const contents = b.length - 600 * 4096
    for (const pfn of [0, 1, 255, 256, 599]) b[contents + 4096 * pfn + ((pfn * 37) % 4096)] = 6
    b[contents + 4096 * 3 + 4095] = 6
    const { pages } = await between({ ...hvm, pages: a }, { ...hvm, pages: { bytes: b, isRecord: true } })
    expect(pages.contents).toEqual({ pages: 6, total: 4, list: [run(0, 2), run(3), run(255, 2), run(599)] })
    expect(pages.compared).toBe(600)
  })

  it('differs by types, of PV guests only', async () => {
    const typed = (...entries: readonly Entry[]): Layout => ({ ...pv, p2m: p2m(0, 5, 0n), pages: filledPages(entries, entries.map(() => 1)) })
    const { pages } = await between(typed([0, 0], [1, 4], [2, 1], [3, 1], [4, 1]), typed([0, 0], [1, 0xc], [2, 2], [3, 2], [4, 3]))
    expect(pages.types).toEqual({
      pages: 4,
      total: 3,
      list: [
        { ...run(1), a: 'L4TAB', b: 'L4TAB-pinned' },
        { ...run(2, 2), a: 'L1TAB', b: 'L2TAB' },
        { ...run(4), a: 'L1TAB', b: 'L3TAB' },
      ],
    })
    const late: Layout = { ...hvm, pages: [filledPages([[1, 0]], [1]), pageData([[1, 0xf]])] }
    expect((await between(late, memory([[1, 0]], 1))).sameGuest).toBe(true)
    expect((await between(memory([[1, 0xe]]), memory([[1, 0]], 0))).pages).toMatchObject({ types: { pages: 1 }, compared: 0 })
    expect((await between(memory([[1, 0]], 0), memory([[1, 0xe]]))).pages).toMatchObject({ types: { pages: 1 }, compared: 0 })
  })

  it('is listed as far as wanted, and counted in full', async () => {
    const apart = Array.from({ length: 10 }, (_, i): Entry => [2 * i, 0])
    const { pages } = await diff(imageOf(memory(apart, ...apart.map(() => 1))), imageOf(memory([[1, 0xf]])), 3)
    expect(pages.onlyA).toEqual({ pages: 10, total: 10, list: [run(0), run(2), run(4)] })
  })

  it('tells how far the comparison has come', async () => {
    const seen: number[] = []
    const many = imageOf({ ...hvm, pages: pageData(Array.from({ length: 9000 }, (_, i): Entry => [i, 0xe])) })
    await diff(many, many, 1, (done, total) => seen.push(done / total))
    expect(seen).toHaveLength(2)
    await diff(many, many, 1)
  })
})
