import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDelta, compressPage, decompressPage } from '../../src/legacy/compression.ts'
import { page } from './build.ts'

/** A page, and the same page with some of its words changed. */
const versions = fc
  .tuple(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), fc.array(fc.tuple(fc.nat(1023), fc.nat(300), fc.nat(255)), { maxLength: 8 }))
  .map(([old, changes]) => {
    const next = old.slice()
    for (const [from, count, fill] of changes) next.fill(fill, 4 * from, 4 * (from + count))
    return [old, next] as const
  })

describe('a compressed page', () => {
  it('comes out as it went in, whatever the receiver held', () => {
    fc.assert(
      fc.property(versions, ([old, next]) => {
        const encoded = compressPage(old, next)
        expect(encoded.length).toBeLessThanOrEqual(4097)
        expect(Buffer.compare(decompressPage(old, encoded), next)).toBe(0)
        expect(Buffer.compare(decompressPage(old, compressPage(undefined, next)), next)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })
  it('takes one byte when nothing changed, and is sent whole when that is shorter', () => {
    expect(compressPage(page(1), page(1))).toEqual(Uint8Array.of(0))
    expect(compressPage(page(1), page(2))[0]).toBe(0x80)
    expect(compressPage(undefined, page(2)).length).toBe(4097)
  })
  it('writes long stretches as runs of 127 words', () => {
    const next = page(1)
    next[4095] = 9
    expect([...compressPage(page(1), next)]).toEqual([...new Array<number>(8).fill(0xff), 0x80 | 7, 1, 1, 1, 1, 9])
  })
  it.each([
    ['empty', [], 'ends early'],
    ['a whole page cut', [0x80, 1, 2], 'ends early'],
    ['a run cut', [2, 1, 2, 3, 4], 'ends early'],
    ['runs that end before the page', [0xff], 'ends early'],
    ['a run of no words', [0xff, 0x80], 'a run of no words'],
    ['a literal run of no words', [0xff, 0x00], 'a run of no words'],
    ['runs beyond the page', new Array<number>(9).fill(0xff), 'a run of 508 bytes where 32 are left'],
    ['more behind the page', [0, 0], '1 bytes are left over'],
  ])('is refused: %s', (_, encoded, message) => {
    expect(() => decompressPage(page(0), Uint8Array.from(encoded))).toThrow(expect.objectContaining({ code: 'FMT_VALUE', message: expect.stringContaining(message) as string }))
  })
  it('says how much of the old page it kept', () => {
    expect(applyDelta(Uint8Array.of(7, 0), 1, page(0))).toEqual({ next: 2, kept: 4096 })
    expect(applyDelta(compressPage(undefined, page(3)), 0, page(0))).toEqual({ next: 4097, kept: 0 })
  })
})
