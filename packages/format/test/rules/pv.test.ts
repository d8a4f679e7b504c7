import { describe, expect, it } from 'vitest'
import { ascii, build, join, longs, p2m, page, pageData, pv, pvInfo, pvPages, record, vcpuBasic, words, zeros, type Layout, type Part } from './image-builder.ts'
import { codesOf, judge, judgeLayout } from './judge.ts'

/** The page's magic, and the frames of the rings of xenstore and console. */
const startInfo = (store: number, console: number): Uint8Array => join(ascii('xen-3.0-x86_64\0\0'), zeros(40), longs(BigInt(store), 0n, BigInt(console)), zeros(4096 - 80))
const withStartInfo = (bytes: Uint8Array): Layout => ({ ...pv, pages: pageData([[0, 0x0], [1, 0x4]], join(bytes, page())) })

describe('start_info', () => {
  it('may be read again by a source that can, and is judged the same', async () => {
    for (const [layout, codes] of [[withStartInfo(startInfo(0, 1)), []], [withStartInfo(startInfo(5, 1)), ['XC_START_INFO_RING']], [{ ...pv, pages: pageData([[0, 0xe], [1, 0x4]], page()) }, ['XC_START_INFO', 'XC_P2M_FRAME']]] as const) {
      const { bytes } = build(layout)
      expect(codesOf(await judge(bytes, { reread: (offset, length) => bytes.subarray(offset, offset + length) }))).toEqual(codes)
      expect(codesOf(await judge(bytes, { reread: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)), depth: 'data' }))).toEqual(codes)
      expect(codesOf(await judge(bytes))).toEqual(codes)
    }
  })

  it('is not judged when it cannot be had again: not in the stream, or gone from the file', async () => {
    expect(codesOf(await judgeLayout({ ...pv, pages: pageData([[1, 0x4]], join(longs((0n << 12n) | 1n), zeros(4088))) }, { reread: () => zeros(4096) }))).toEqual([])
    const { bytes } = build(withStartInfo(startInfo(5, 5)))
    expect(codesOf(await judge(bytes, { reread: () => zeros(10) }))).toEqual([])
  })

  it('has rings in pages that hold something, or are to be populated', async () => {
    const rings = (type: number): Layout => ({ ...withStartInfo(startInfo(2, 2)), p2m: p2m(0, 2, 0n), beforeVcpu: pageData([[2, type]]) })
    expect(codesOf(await judgeLayout(rings(0xe)))).toEqual([])
    expect(codesOf(await judgeLayout(rings(0xd)))).toEqual(['XC_START_INFO_RING', 'XC_START_INFO_RING'])
    expect(codesOf(await judgeLayout(rings(0xf)))).toEqual(['XC_START_INFO_RING', 'XC_START_INFO_RING'])
  })

  it('is the last content of its page', async () => {
    const again = (bytes: Uint8Array): Layout => ({ ...withStartInfo(startInfo(5, 5)), beforeVcpu: pageData([[0, 0]], bytes) })
    expect(codesOf(await judgeLayout(again(startInfo(0, 0))))).toEqual([])
    expect(codesOf(await judgeLayout(again(page())))).toEqual([])
  })

  it('is found among pages that look like it', async () => {
    const many = Array.from({ length: 80 }, (_, i): Part => pageData([[i + 2, 0]], startInfo(0, 0)))
    const layout = { ...withStartInfo(startInfo(0, 0)), p2m: p2m(0, 100, 0n), beforeVcpu: [...many, pageData([[0, 0]], startInfo(200, 0))] }
    expect(codesOf(await judgeLayout(layout))).toEqual(['XC_START_INFO_RING'])
  })
})

describe('vCPUs', () => {
  const third = (...parts: readonly Part[]): Layout => ({ ...pv, beforeEnd: parts })

  it('may be few with high numbers or many, as long as each follows the one before', async () => {
    expect(codesOf(await judgeLayout(third(vcpuBasic({ id: 31 }))))).toEqual([])
    expect(codesOf(await judgeLayout(third(vcpuBasic({ id: 32 }))))).toEqual(['XC_VCPU_ID'])
    expect(codesOf(await judgeLayout(third(...Array.from({ length: 40 }, (_, id) => vcpuBasic({ id })))))).toEqual([])
  })

  it('have further records once their basic one has come', async () => {
    const extended = record(0x05, join(words(1, 0), zeros(128)))
    expect(codesOf(await judgeLayout(third(vcpuBasic({ id: 1 }), extended)))).toEqual([])
    expect(codesOf(await judgeLayout(third(extended)))).toEqual(['XC_VCPU_ID'])
    expect(codesOf(await judgeLayout(third(record(0x06, join(words(0, 0), zeros(16))), record(0x0c, join(words(0, 0), zeros(32))))))).toEqual([])
  })

  it('may have a second top-level table in cr1, which is judged when its lowest bit says so', async () => {
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ cr1: 0x1001n }) }))).toEqual([])
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ cr1: 0n }) }))).toEqual([])
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ cr1: 0x0001n }) }))).toEqual(['XC_CR3'])
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ cr3: 0x7000n }) }))).toEqual(['XC_CR3'])
  })

  it('have a GDT in ordinary pages of bounded length', async () => {
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ gdtEntries: 512, gdtFrame: 0 }) }))).toEqual([])
    expect(codesOf(await judgeLayout({ ...pv, vcpu: vcpuBasic({ gdtEntries: 7169 }) }))).toEqual(['XC_GDT'])
  })
})

describe('the list of p2m frames', () => {
  it('has no place in an image of a single page', async () => {
    const { findings } = await judgeLayout({ ...pv, beforeP2m: p2m(0, 0, 0n) })
    expect(findings.map(({ code, message }) => `${code} ${message}`)).toEqual([expect.stringMatching(/^XC_P2M_RANGE .*single page/)])
  })
  it('has frames within the guest', async () => {
    expect(codesOf(await judgeLayout({ ...pv, p2m: p2m(0, 1, 9n) }))).toEqual(['XC_P2M_FRAME'])
  })
  it('is counted in words of the guest', async () => {
    expect(codesOf(await judgeLayout({ ...pv, info: pvInfo(4, 3), p2m: p2m(0, 1023, 0n), pages: pvPages }))).not.toContain('XC_P2M_COUNT')
  })
})

it('all p2m frames that lead nowhere are counted, a hundred are listed', async () => {
  const { findings, suppressed } = await judgeLayout({ ...pv, p2m: p2m(0, 512 * 120 - 1, ...Array<bigint>(120).fill(1n)) })
  expect([findings.length, suppressed]).toEqual([100, 20])
})
