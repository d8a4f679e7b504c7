import { describe, expect, it } from 'vitest'
import { viewOf } from '../../../src/bytes/struct.ts'
import { coreFile, type CoreFile } from '../../../src/transform/core/core-file.ts'
import { imageOfBytes, type ImageBytes } from '../../../src/transform/image-bytes.ts'
import { readSnapshot } from '../../../src/transform/snapshot.ts'
import { hvm, join, p2m, pv, pvInfo, record, vcpuBasic, words, zeros, type Entry, type Part } from '../../rules/image-builder.ts'
import { vector } from '../../vectors.ts'
import { filledPages, imageOf } from '../images.ts'

const core = async (image: ImageBytes, maxBytes = 2 ** 44): Promise<CoreFile> => coreFile(image, await readSnapshot(image), { maxBytes })
/** The part of the file before memory. */
const headOf = (file: CoreFile): DataView => viewOf((file.pieces().next().value as { bytes: Uint8Array }).bytes)
const filled = (entries: readonly Entry[], ...fills: readonly number[]): Part => filledPages(entries, fills)

/** One vCPU's state in an HVM context; every register is its place in the record. */
function cpu(instance: number, size = 1032): Uint8Array {
  const body = zeros(size)
  for (let at = 512; at + 4 <= Math.min(size, 1008); at += 4) viewOf(body).setUint32(at, at, true)
  return join(words(2 | (instance << 16), size), body)
}
const contextOf = (...records: readonly Uint8Array[]): Part => record(9, join(...records, words(0, 0)))

describe('the core file of an HVM guest', () => {
  it('is an ELF64 file of memory segments by address', async () => {
    const file = await core(imageOf({ ...hvm, pages: filled([[1, 0], [2, 0], [9, 0]], 1, 2, 9), context: contextOf(cpu(0), cpu(1)) }))
    expect(file).toMatchObject({ elfClass: 64, segments: 2, vcpus: 2, pages: 3, base: 65536, size: 65536 + 10 * 4096 })
    const head = headOf(file)
    expect([head.getUint32(0), head.getUint8(4), head.getUint8(5), head.getUint16(16, true), head.getUint16(18, true)]).toEqual([0x7f454c46, 2, 1, 4, 62])
    expect([head.getUint16(54, true), head.getUint16(56, true)]).toEqual([56, 3])
    const program = (i: number) => [head.getUint32(64 + 56 * i, true), ...[8, 16, 24, 32, 40, 48].map((at) => Number(head.getBigUint64(64 + 56 * i + at, true)))]
    expect(program(0)).toEqual([4, 64 + 3 * 56, 0, 0, 2 * 356, 0, 0])
    expect(program(1)).toEqual([1, 65536 + 4096, 4096, 4096, 8192, 8192, 0])
    expect(program(2)).toEqual([1, 65536 + 9 * 4096, 9 * 4096, 9 * 4096, 4096, 4096, 0])
  })

  it('has memory at its places', async () => {
    const file = await core(imageOf({ ...hvm, pages: filled([[1, 0], [9, 0]], 1, 9) }))
    const places: (number | undefined)[][] = []
    for (const { at, bytes } of file.pieces()) places.push([at, bytes[0], bytes.length])
    expect(places.slice(1)).toEqual([[65536 + 4096, 1, 4096], [65536 + 9 * 4096, 9, 4096]])
  })

  it('has a note with the registers of each vCPU', async () => {
    const head = headOf(await core(imageOf({ ...hvm, context: contextOf(cpu(0), cpu(1), cpu(2, 1016), cpu(3, 7)) })))
    const notes = 64 + 56
    expect([head.getUint32(notes, true), head.getUint32(notes + 4, true), head.getUint32(notes + 8, true), head.getUint32(notes + 12)]).toEqual([5, 336, 1, 0x434f5245])
    const status = (i: number): number => notes + 356 * i + 20
    expect([0, 1, 2].map((i) => head.getUint32(status(i) + 32, true))).toEqual([1, 2, 3])
    expect(head.byteLength).toBe(status(3) - 20)
    const register = (i: number): number => head.getUint32(status(1) + 112 + 8 * i, true)
    // r15, rbp, rax, rip, cs, rflags, rsp, ss, fs base, gs base, ds, es, fs, gs as they stand in hvm_hw_cpu
    expect([0, 4, 10, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26].map(register)).toEqual([632, 544, 512, 640, 736, 648, 568, 756, 832, 840, 740, 744, 748, 752])
    expect(head.getBigUint64(status(1) + 112 + 8 * 15, true)).toBe(0xffff_ffff_ffff_ffffn)
  })

  it('has no more than 1000 segments', async () => {
    const every = Array.from({ length: 1500 }, (_, i): Entry => [2 * i, 0])
    const file = await core(imageOf({ ...hvm, pages: filled(every, ...every.map(() => 1)) }))
    expect(file).toMatchObject({ segments: 1, pages: 1500, base: 65536 })
    const far = Array.from({ length: 999 }, (_, i): Entry => [4 * i, 0])
    const wide = await core(imageOf({ ...hvm, pages: filled(far, ...far.map(() => 1)), context: contextOf(...Array.from({ length: 64 }, (_, i) => cpu(i))) }))
    expect(wide).toMatchObject({ segments: 999, base: 20 * 4096 })
    expect(headOf(wide).byteLength).toBeLessThanOrEqual(wide.base)
  })

  it('without memory is still one', async () => expect(await core(imageOf(hvm))).toMatchObject({ size: 65536, segments: 0, vcpus: 0, pages: 0 }))

  it('is refused when it would be larger than allowed', async () => {
    await expect(core(imageOf({ ...hvm, pages: filled([[0xf_ffff_ffff_ffff, 0]], 1) }))).rejects.toMatchObject({ code: 'FMT_PFN_RANGE' })
  })
})

describe('the core file of a PV guest', () => {
  it('has the registers of its vCPUs', async () => {
    const body = zeros(8 + 5168)
    const view = viewOf(body)
    view.setBigUint64(8 + 512, 4n, true) // flags: in the kernel
    view.setBigUint64(8 + 520 + 128, 0xffff_ffff_8000_1234n, true) // rip
    view.setUint16(8 + 520 + 136, 0xe033, true) // cs
    view.setBigUint64(8 + 5144, 0x11n, true)
    view.setBigUint64(8 + 5152, 0x22n, true)
    view.setBigUint64(8 + 5160, 0x33n, true)
    view.setUint32(0, 1, true)
    const head = headOf(await core(imageOf({ ...pv, beforeEnd: record(4, body) })))
    const registers = 64 + 2 * 56 + 356 + 20 + 112
    expect(head.getBigUint64(registers + 8 * 16, true)).toBe(0xffff_ffff_8000_1234n)
    expect([17, 21, 22].map((i) => head.getUint32(registers + 8 * i, true))).toEqual([0xe033, 0x11, 0x22])
    view.setBigUint64(8 + 512, 0n, true)
    const user = headOf(await core(imageOf({ ...pv, beforeEnd: record(4, body) })))
    expect(user.getUint32(registers + 8 * 22, true)).toBe(0x33)
  })

  it('of 32 bits is an ELF32 file', async () => {
    const file = await core(imageOfBytes(vector('gold_xc_pv32_nonlive')))
    expect(file).toMatchObject({ elfClass: 32, vcpus: 1, base: 65536 })
    const head = headOf(file)
    expect([head.getUint8(4), head.getUint16(18, true), head.getUint16(42, true), head.getUint32(28, true)]).toEqual([1, 3, 32, 52])
    expect([head.getUint32(52, true), head.getUint32(52 + 16, true)]).toEqual([4, 164])
    expect([head.getUint32(84, true), head.getUint32(84 + 4, true) - head.getUint32(84 + 12, true)]).toEqual([1, 65536])
    const status = head.getUint32(56, true) + 20
    expect([head.getUint32(status + 24, true), head.getUint32(status + 72 + 4 * 11, true)]).toEqual([1, 0xffff_ffff])
  })

  it('of 32 bits is refused where such files end', async () => {
    const basic = record(4, zeros(8 + 2800))
    const image = imageOf({ ...pv, info: pvInfo(4, 3), p2m: p2m(0, 0xfffff, 0n), pages: filled([[0xfffff, 0]], 1), vcpu: basic })
    await expect(core(image)).rejects.toMatchObject({ code: 'FMT_PFN_RANGE', hint: expect.stringContaining('--memory') as string })
  })

  it('leaves out vCPUs of which there are no registers', async () =>
    expect(await core(imageOf({ ...pv, vcpu: [record(5, join(words(0, 0), zeros(64))), vcpuBasic({ id: 3 })] }))).toMatchObject({ vcpus: 1 }))

  it('is refused when the registers cannot be read', async () =>
    expect(core(imageOf({ ...pv, vcpu: record(4, zeros(100)) }))).rejects.toMatchObject({ code: 'FMT_BODY_SIZE' }))
})
