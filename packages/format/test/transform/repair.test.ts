import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verify } from '../../src/rules/verify.ts'
import { imageOfBytes, readerOf } from '../../src/transform/image-bytes.ts'
import { plainImage } from '../../src/transform/repair.ts'
import { readSnapshot } from '../../src/transform/snapshot.ts'
import { context, emulator, flat, hvm, imageHeader, join, libxl, p2m, page, pageData, pv, record, remus, vcpuBasic, words, xenstore, xl, zeros, type Entry, type Part } from '../rules/image-builder.ts'
import { vector, vectors } from '../vectors.ts'
import { bytesOf, gathered, imageOf } from './images.ts'
import { restored } from './restored.ts'

const repaired = async (bytes: Uint8Array): Promise<Uint8Array> => {
  const image = imageOfBytes(bytes)
  return gathered(plainImage(image, await readSnapshot(image)))
}

/** One PAGE_DATA of pages that are each filled with one byte. */
const pagesOf = (entries: readonly (readonly [pfn: number, type: number, fill: number])[]): Part =>
  pageData(entries.map(([pfn, type]): Entry => [pfn, type]), join(...entries.filter(([, type]) => type < 0xd).map(([, , fill]) => page(fill))))

const params = (...values: readonly (readonly [index: number, value: number])[]): Part => record(0x0a, join(words(values.length, 0), ...values.map(([index, value]) => words(index, 0, value, 0))))

describe('an image made plain', () => {
  it('is the same when it was plain, in order and without repetition', async () => {
    for (const layout of [hvm, libxl, pv, xl]) {
      const bytes = bytesOf(layout)
      expect(await repaired(bytes)).toEqual(bytes)
    }
    for (const name of ['ok_xc_v2_hvm', 'ok_xl2_hvm_xenstore', 'ok_xlfile_pv', 'gold_xc_hvm_nonlive', 'gold_xc_pv32_nonlive']) {
      const once = await repaired(vector(name))
      expect((await verify(readerOf(imageOfBytes(once)))).verdict.xen).toBe('accept')
      expect(await repaired(once)).toEqual(once)
    }
  })

  it('holds what came up to the last complete checkpoint, and is accepted by all judges', async () => {
    const bytes = bytesOf({ ...remus, behind: [pageData([[17, 0], [18, 0xf]], page(7)), context, record(0x0e), emulator(), record(4), pageData([[17, 0]], page(8))] })
    const { verdict } = await verify(readerOf(imageOfBytes(await repaired(bytes))))
    expect(verdict).toEqual({ strict: 'accept', xen: 'accept', verifier: 'accept' })
    expect((await restored(imageOfBytes(await repaired(bytes)))).pages[17]).toMatchObject({ fill: 7 })
  })

  it('restores to the same guest, whatever was sent how often and wherever it was cut', async () => {
    const types = [0x0, 0x1, 0x4, 0x9, 0xc, 0xd, 0xe, 0xf]
    const batch = fc.array(fc.tuple(fc.nat(7), fc.constantFrom(...types), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 }).map(pagesOf)
    const other = fc.oneof(
      fc.integer({ min: 1, max: 9 }).map((mode) => record(8, join(words(mode), zeros(20)))),
      fc.tuple(fc.nat(2), fc.nat(100)).map(([id, startInfo]) => vcpuBasic({ id, startInfo })),
      fc.nat(255).map((fill) => record(7, page(fill))),
    )
    const step = fc.oneof({ weight: 5, arbitrary: batch }, { weight: 2, arbitrary: other }, { weight: 1, arbitrary: fc.constant(record(0x0d)) })
    const epochs = fc.array(fc.array(step, { maxLength: 5 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(epochs, fc.double({ min: 0, max: 1, noNaN: true }), async (all, at) => {
        const start = { ...pv, p2m: p2m(0, 7, 0n), end: record(0x0e) }
        const bytes = bytesOf({ ...start, behind: all.flatMap((steps) => [...steps, record(0x0e)]) })
        const first = bytesOf(start).length
        const cut = imageOfBytes(bytes.subarray(0, Math.ceil(first + at * (bytes.length - first))))
        const plain = imageOfBytes(await gathered(plainImage(cut, await readSnapshot(cut))))
        const { pages, records } = await restored(plain)
        const wanted = await restored(cut)
        expect(pages).toEqual(wanted.pages)
        expect(records).toEqual(wanted.records)
      }),
      { numRuns: 200 },
    )
  })

  it('has a sound header where the marker or the id was damaged', async () => {
    for (const image of [imageHeader({ marker: 0 }), imageHeader({ id: 1 })]) expect(await repaired(bytesOf({ ...libxl, image: flat({ ...hvm, image }) }))).toEqual(bytesOf(libxl))
  })

  it('has batches of 1024 pages in ascending order', async () => {
    const many = pageData(Array.from({ length: 2100 }, (_, i): Entry => [2099 - i, 0xf]))
    const pages = [pageData(Array.from({ length: 1024 }, (_, i): Entry => [i, 0xf])), pageData(Array.from({ length: 1024 }, (_, i): Entry => [1024 + i, 0xf])), pageData(Array.from({ length: 52 }, (_, i): Entry => [2048 + i, 0xf]))]
    expect(await repaired(bytesOf({ ...hvm, pages: many }))).toEqual(bytesOf({ ...hvm, pages }))
  })

  it('keeps high pfns', async () => {
    const bytes = bytesOf({ ...hvm, pages: pageData([[16, 0], [0x1_2345_6789, 0], [0xf_ffff_ffff_fff, 0xe]], join(page(1), page(2))) })
    expect(await repaired(bytes)).toEqual(bytes)
  })

  it('says after the pages of a PV guest which of them are tables no more', async () => {
    const bytes = bytesOf({ ...pv, beforeVcpu: [pageData([[1, 0xf], [0, 0]], page(3))] })
    const wanted = bytesOf({ ...pv, pages: [pageData([[0, 0], [1, 4]], join(page(3), page())), pageData([[1, 0xf]])] })
    expect(await repaired(bytes)).toEqual(wanted)
  })

  it('has the parameters of all records, behind the pages unless they stood before them', async () => {
    const twice = bytesOf({ ...hvm, beforeEnd: [params([1, 5], [17, 6]), params([1, 7], [5, 8])] })
    expect(await repaired(twice)).toEqual(bytesOf({ ...hvm, beforeEnd: params([1, 7], [17, 6], [5, 8]) }))
    const before = bytesOf({ ...hvm, staticEnd: [record(0x10), params([1, 5])], beforeEnd: pageData([[17, 0]], page()) })
    expect(await repaired(before)).toEqual(bytesOf({ ...hvm, staticEnd: [record(0x10), params([1, 5])], pages: pageData([[16, 0xf], [17, 0]], page()) }))
    expect(await repaired(bytesOf({ ...hvm, beforeEnd: params([1000, 5]) }))).toEqual(bytesOf(hvm))
  })

  it('leaves out what restorers pass over', async () => {
    const late = bytesOf({ ...hvm, beforeEnd: [record(0x11, zeros(24)), record(0x8000_0001, zeros(4))] })
    expect(await repaired(late)).toEqual(bytesOf(hvm))
    const early = bytesOf({ ...hvm, atStart: record(0x11, zeros(24)) })
    expect(await repaired(early)).toEqual(early)
    expect(await repaired(bytesOf({ ...pv, beforeEnd: record(5, words(0, 0)) }))).toEqual(bytesOf(pv))
    expect(await repaired(bytesOf({ ...libxl, emulator: record(3, zeros(9), { padding: 1 }) }))).toEqual(bytesOf({ ...libxl, emulator: record(3, zeros(9)) }))
  })

  it('has the device model’s last keys and state', async () => {
    const bytes = bytesOf({ ...remus, inGroup: xenstore('a', '\0', 'b', '\0'), behind: [record(0x0e), emulator(2, 5), record(4)] })
    expect(await repaired(bytes)).toEqual(bytesOf({ ...libxl, emulator: [xenstore('a', '\0', 'b', '\0'), emulator(2, 5)] }))
  })

  it('takes the pages of a repeated pass for comparing, not for the guest', async () => {
    const bytes = bytesOf({ ...hvm, pages: [pagesOf([[3, 0, 1]]), record(0x0d), pagesOf([[3, 0, 2], [4, 0, 9]])] })
    expect(await repaired(bytes)).toEqual(bytesOf({ ...hvm, pages: pagesOf([[3, 0, 1], [4, 0, 0]]) }))
  })

  it('of a version 2 image is one, in which pages say that static data are over', async () => {
    const two = { ...hvm, image: imageHeader({ version: 2 }), staticEnd: [], pages: [pageData([[16, 0xf]])] }
    expect(await repaired(bytesOf(two))).toEqual(bytesOf(two))
  })

  it.each(vectors.filter(({ xen, format, domain }) => xen === 'accept' && format === 'libxc' && domain !== null))('of $name is accepted as the original is', async ({ name, domain }) => {
    const original = vector(name)
    // Told to be of the other kind of guest, or with the very thing missing that makes a guest: those stay what they are.
    const plain = imageOfBytes(await repaired(original))
    expect((await verify(readerOf(plain), { domain: domain as 'pv' | 'hvm', streamType: 'plain' })).verdict.xen).toBe('accept')
  })

  it('tells how far it has come', async () => {
    const image = imageOf({ stream: flat(xl), header: [], domain: [] })
    const seen: number[] = []
    await readSnapshot(image, (done, total) => seen.push(done / total))
    expect(seen.every((part) => part >= 0 && part <= 1)).toBe(true)
  })
})
