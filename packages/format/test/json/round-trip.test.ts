import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vector, vectors } from '../vectors.ts'
import { decoded, encoded, expectSame } from './document.ts'

describe('decoding and encoding again gives the same bytes', () => {
  it.each(vectors.map(({ name }) => name))('%s', async (name) => {
    const bytes = vector(name)
    expectSame(await encoded(await decoded(bytes)), bytes)
  })

  const small = vectors.filter(({ size }) => size < 50_000).map(({ name }) => vector(name))
  const anyVector = fc.nat(small.length - 1).map((i) => small[i] as Uint8Array)

  it('also where bytes are damaged', () =>
    fc.assert(
      fc.asyncProperty(anyVector, fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 8 }), async (good, damages) => {
        const bytes = good.slice()
        // Most of a vector is page contents: half of the damage goes to the records before them.
        for (const [where, value] of damages) bytes[Math.floor(where * (value % 2 === 0 ? bytes.length : Math.min(400, bytes.length)))] = value
        expectSame(await encoded(await decoded(bytes)), bytes)
      }),
      { numRuns: 300 },
    ))

  it('also where the stream is cut', () =>
    fc.assert(
      fc.asyncProperty(anyVector, fc.double({ min: 0, max: 1, noNaN: true }), async (good, where) => {
        const bytes = good.subarray(0, Math.floor(where * good.length))
        expectSame(await encoded(await decoded(bytes)), bytes)
      }),
      { numRuns: 200 },
    ))

  it('also of bytes that are no image', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        expectSame(await encoded(await decoded(bytes)), bytes)
      }),
    ))

  it('also with page contents put aside', async () => {
    for (const name of ['gold_xc_hvm_live', 'ok_xlfile_pv', 'bad_xc_pd_missing_page', 'bad_xc_pd_short_page', 'ok_xc_v3_hvm_tiny']) {
      const bytes = vector(name)
      const pages: Uint8Array[] = []
      let count = 0
      const text = await decoded(bytes, {
        keepPages: (some) => {
          pages.push(some.slice())
          count += some.length / 4096
          return count - some.length / 4096
        },
      })
      const aside = Buffer.concat(pages)
      expect(text.length).toBeLessThan(bytes.length + 10_000)
      expectSame(await encoded(text, { readPages: (at, n) => aside.subarray(4096 * at, 4096 * (at + n)) }), bytes)
    }
  })
})
