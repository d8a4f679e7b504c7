import { describe, expect, it } from 'vitest'
import type { ImageBytes } from '../../src/transform/image-bytes.ts'
import { readSnapshot } from '../../src/transform/snapshot.ts'
import { flatMemory, type SparseOutput } from '../../src/transform/sparse-output.ts'
import { hvm, record, type Entry, type Part } from '../rules/image-builder.ts'
import { filledPages, imageOf } from './images.ts'

const filled = (entries: readonly Entry[], ...fills: readonly number[]): Part => filledPages(entries, fills)
const memory = async (image: ImageBytes, maxBytes = 2 ** 40): Promise<SparseOutput> => flatMemory(image, (await readSnapshot(image)).pages, { maxBytes })
function pieces(output: SparseOutput) {
  const out: { at: number; fills: (number | undefined)[] }[] = []
  for (const { at, bytes } of output.pieces()) out.push({ at, fills: Array.from({ length: bytes.length / 4096 }, (_, i) => bytes[4096 * i]) })
  return out
}

describe('memory as a flat file', () => {
  it('has each page at its place, the last version of it', async () => {
    const image = imageOf({ ...hvm, pages: [filled([[3, 0], [2, 0], [9, 0xf], [7, 0]], 3, 2, 7), filled([[2, 0], [20, 0xe]], 22)] })
    const output = await memory(image)
    expect(output).toMatchObject({ size: 8 * 4096, pages: 3 })
    expect(pieces(output)).toEqual([{ at: 2 * 4096, fills: [22, 3] }, { at: 7 * 4096, fills: [7] }])
  })

  it('comes in stretches of 256 pages', async () => {
    const many = Array.from({ length: 600 }, (_, i): Entry => [i, 0])
    const output = await memory(imageOf({ ...hvm, pages: filled(many, ...many.map(([pfn]) => pfn % 251)) }))
    expect([...output.pieces()].map(({ at, bytes }) => [at / 4096, bytes.length / 4096])).toEqual([[0, 256], [256, 256], [512, 88]])
    expect(pieces(output).flatMap(({ fills }) => fills)).toEqual(many.map(([pfn]) => pfn % 251))
  })

  it('is zero for pages that came to be compared only', async () => {
    const output = await memory(imageOf({ ...hvm, pages: [filled([[1, 0]], 1), record(0x0d), filled([[2, 0], [3, 0]], 2, 3)] }))
    expect(pieces(output)).toEqual([{ at: 4096, fills: [1, 0, 0] }])
  })

  it('is empty for a guest without memory', async () => {
    const output = await memory(imageOf(hvm))
    expect(output).toMatchObject({ size: 0, pages: 0 })
    expect(pieces(output)).toEqual([])
  })

  it('is refused when it would be larger than allowed', async () => {
    const image = imageOf({ ...hvm, pages: filled([[0xf_ffff_ffff_ffff, 0]], 1) })
    await expect(memory(image)).rejects.toMatchObject({ code: 'FMT_PFN_RANGE', hint: expect.stringContaining('--max-size') as string })
    await expect(memory(imageOf({ ...hvm, pages: filled([[1, 0]], 1) }), 8191)).rejects.toMatchObject({ code: 'FMT_PFN_RANGE' })
    expect((await memory(imageOf({ ...hvm, pages: filled([[1, 0]], 1) }), 8192)).size).toBe(8192)
  })
})
