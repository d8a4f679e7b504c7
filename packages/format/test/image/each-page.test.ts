import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { Body } from '../../src/image/body.ts'
import { eachPage } from '../../src/image/each-page.ts'
import { pageDataOf } from '../../src/libxc/page-data.ts'

const XTAB = 0xf
/** Entries of pfns 0, 1, ... with the given types. */
const entriesOf = (types: readonly number[]) => pageDataOf(types.length, 0, Uint32Array.from(types.flatMap((type, pfn) => [pfn, type << 28])))

/** [entry, offset, first byte] of the pages that were used. */
async function used(types: readonly number[], wanted: (entry: number) => boolean, { chunk = 1 << 20, bytes = Infinity } = {}): Promise<readonly (readonly number[])[]> {
  const pages = entriesOf(types)
  const content = Uint8Array.from({ length: Math.min(bytes, 4096 * pages.contents) }, (_, i) => Math.floor(i / 4096))
  const chunks = Array.from({ length: Math.ceil(content.length / chunk) }, (_, i) => content.subarray(chunk * i, chunk * (i + 1)))
  const seen: number[][] = []
  await eachPage(new Body(new ByteReader(sourceOfChunks(chunks), 1000), 4096 * pages.contents), pages, wanted, (page, entry, offset) => {
    expect(page.every((byte) => byte === page[0]) && page.length === 4096).toBe(true)
    seen.push([entry, offset, page[0] as number])
  })
  return seen
}

describe('the pages of a record', () => {
  const types = [0, XTAB, 0, 1, XTAB, 4]

  it.each([1, 1000, 4096, 5000, 1 << 20])('come with their entry and place, in chunks of %i bytes too', async (chunk) => {
    expect(await used(types, () => true, { chunk })).toEqual([[0, 1000, 0], [2, 5096, 1], [3, 9192, 2], [5, 13288, 3]])
  })

  it('are passed over when they are not wanted', async () => {
    expect(await used(types, (entry) => entry === 3)).toEqual([[3, 9192, 2]])
    expect(await used(types, (entry) => entry !== 2)).toEqual([[0, 1000, 0], [3, 9192, 2], [5, 13288, 3]])
    expect(await used(types, () => false)).toEqual([])
  })

  it('may be more than are read at once', async () => {
    expect(await used(Array<number>(150).fill(0), () => true)).toHaveLength(150)
  })

  it('end where the stream ends', async () => {
    expect(await used(types, () => true, { bytes: 8192 })).toHaveLength(2)
    expect(await used(types, () => true, { bytes: 9000 })).toHaveLength(2)
  })
})

describe('a body', () => {
  it('gives nothing behind its end, nor behind the end of the stream', async () => {
    const body = new Body(new ByteReader(sourceOfBytes(Uint8Array.of(1, 2, 3))), 2)
    expect(await body.some(9)).toEqual(Uint8Array.of(1, 2))
    expect([await body.some(9), body.cut, body.left]).toEqual([undefined, false, 0])
    const cut = new Body(new ByteReader(sourceOfBytes(Uint8Array.of(1))), 2)
    await cut.skip()
    expect([await cut.some(9), cut.cut]).toEqual([undefined, true])
  })
})
