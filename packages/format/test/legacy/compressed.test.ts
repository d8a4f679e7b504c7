import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CompressedPages } from '../../src/legacy/compressed-pages.ts'
import { compressPage } from '../../src/legacy/compression.ts'
import { legacyEntries } from '../../src/legacy/entries.ts'
import { recentPages, type PageStore } from '../../src/legacy/page-store.ts'
import { hvm, page, ulong, word } from './build.ts'
import { bytesOf, converted, readerOf, reencoded, type Part } from './streams.ts'
import { checkLegacy } from '../../src/legacy/check.ts'


/** The pages of a converted image, the last of each pfn. */
function pagesIn(image: Uint8Array): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>()
  const view = new DataView(image.buffer, image.byteOffset, image.length)
  for (let at = 40; at < image.length; ) {
    const [type, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)]
    if (type === 0) break
    if (type === 1) {
      const count = view.getUint32(at + 8, true)
      let page = at + 16 + 8 * count
      for (let i = 0; i < count; i++) {
        if (view.getUint32(at + 20 + 8 * i, true) >>> 28 >= 0xd) continue
        pages.set(view.getUint32(at + 16 + 8 * i, true), image.subarray(page, (page += 4096)))
      }
    }
    at += 8 + Math.ceil(length / 8) * 8
  }
  return pages
}

/** A guest writes words; each round sends the pages it touched. */
const rounds = fc.array(fc.uniqueArray(fc.record({ pfn: fc.nat(5), word: fc.nat(1023), fill: fc.nat(255) }), { selector: ({ pfn }) => pfn, minLength: 1, maxLength: 4 }), { maxLength: 5 })

function compressedStream(width: 32 | 64, size: 4 | 8, writes: typeof rounds extends fc.Arbitrary<infer T> ? T : never, cuts: readonly number[]): { bytes: Uint8Array; memory: Map<number, Uint8Array> } {
  const memory = new Map<number, Uint8Array>([[9, page(9)]])
  const batches: Part[] = []
  let data = compressPage(undefined, page(9))
  for (const round of writes) {
    batches.push(word(round.length + 1), ulong(width, ...round.map(({ pfn }) => pfn), 0xf000_0006))
    for (const { pfn, word: at, fill } of round) {
      const old = memory.get(pfn)
      const next = (old ?? page(0)).slice()
      next.fill(fill, 4 * at, 4 * at + 4)
      data = bytesOf(data, compressPage(old, next))
      memory.set(pfn, next)
    }
  }
  const chunks: Part[] = []
  for (let from = 0, i = 0; from < data.length; i++) {
    const piece = data.subarray(from, from + (cuts[i] ?? data.length))
    chunks.push(word(-12), size === 8 ? ['q', piece.length] : word(piece.length), piece)
    from += piece.length
  }
  return { bytes: hvm([word(-13, 1), ulong(width, 9), ...batches, ...chunks], { width }), memory }
}

describe('a compressed stream', () => {
  it.each([[64, 4], [64, 8], [32, 4]] as const)('of a %i-bit toolstack with lengths of %i bytes converts to what the guest’s memory was', async (width, size) => {
    await fc.assert(
      fc.asyncProperty(rounds, fc.array(fc.integer({ min: 1, max: 6000 }), { maxLength: 4 }), async (writes, cuts) => {
        const { bytes, memory } = compressedStream(width, size, writes, [5000, ...cuts])
        const known = { guest: 'hvm', width } as const
        const pages = pagesIn(await converted(bytes, { to: 'libxc-v3', ...known }))
        expect(pages.size).toBe(memory.size)
        for (const [pfn, content] of memory) expect(Buffer.compare(pages.get(pfn) as Uint8Array, content)).toBe(0)
        expect(Buffer.compare(await reencoded(bytes, known), bytes)).toBe(0)
        expect((await checkLegacy(readerOf(bytes), known)).findings.map(({ code }) => code)).toEqual(['LG_COMPRESSION'])
      }),
      { numRuns: 25 },
    )
  })
  it('can be read with the length field that the caller names', async () => {
    const data = bytesOf('\0\0\0\0\0\x80', page(2))
    const chunks: Part[] = [word(-13, 6), ulong(64, 1, 2, 3, 4, 5, 6), word(-12, data.length), data]
    const store: PageStore = { get: () => page(7), set: () => undefined }
    const image = await converted(hvm(chunks), { to: 'libxc-v3', pages: store, compressedSize: 'u32' })
    expect(pagesIn(image).get(6)?.[0]).toBe(2)
    await expect(converted(hvm(chunks, { width: 64 }), { to: 'libxc-v3', compressedSize: 'ulong' })).rejects.toMatchObject({ code: expect.stringContaining('FMT_') as string })
  })
  it('builds on pages sent before compression began when the caller keeps them all', async () => {
    const chunks: Part[] = [word(2), ulong(64, 3, 0xe000_0004), page(3), word(-13, 1), ulong(64, 3), word(-12), ['q', 1], '\0']
    const kept = new Map<number, Uint8Array>()
    const store: PageStore = { get: (pfn) => Promise.resolve(kept.get(pfn)), set: (pfn, content) => void kept.set(pfn, content) }
    const options = { to: 'libxc-v3', compressedSize: 'ulong' } as const
    expect(pagesIn(await converted(hvm(chunks), { ...options, pages: store })).get(3)).toEqual(page(3))
    await expect(converted(hvm(chunks), options)).rejects.toMatchObject({ code: 'FMT_LEGACY_UNSUPPORTED', rule: 'LG_COMPRESSED_BASE' })
  })
  it('writes no record for a batch of filler', async () => {
    const chunks: Part[] = [word(-13, 1), ulong(64, 0xf000_0000)]
    expect(pagesIn(await converted(hvm(chunks), { to: 'libxc-v3' })).size).toBe(0)
  })
  it('is refused when it announces more than can be held', () => {
    const pages = new CompressedPages(recentPages(), 130)
    const entries = legacyEntries(bytesOf(word(1)), 32)
    pages.announce(entries, 0)
    pages.announce(entries, 8)
    expect(() => pages.announce(entries, 16)).toThrow(expect.objectContaining({ code: 'FMT_LEGACY_UNSUPPORTED', offset: 16 }))
  })
})

describe('the pages held', () => {
  it('are the ones used last', () => {
    const store = recentPages(2 * 4096)
    for (const pfn of [1, 2]) void store.set(pfn, page(pfn))
    expect(store.get(1)).toEqual(page(1))
    void store.set(3, page(3))
    expect([1, 2, 3].map((pfn) => store.get(pfn) !== undefined)).toEqual([true, false, true])
  })
})
