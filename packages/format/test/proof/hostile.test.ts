import { isXrError } from '@xen-replication/errors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { PageMap } from '../../src/image/page-map.ts'
import { verify } from '../../src/rules/verify.ts'
import { build, longs, p2m, pageData, piece, pv, record, words, type Layout, type Part } from '../rules/image-builder.ts'
import { judge } from '../rules/judge.ts'
import { vector } from '../vectors.ts'
import { allocatedBy } from './allocation.ts'
import { headerFields } from './header-fields.ts'

/** Arrays of a walk that do not depend on what comes: tables of page types and digests for the first 4 GiB of guest memory. */
const CONSTANT = 8 << 20
/** What is held of a body may be copied while it grows, once into memory of its own, and once more for its reader. */
const FACTOR = 8
const MILLISECONDS = 2000

/** Comes in small pieces, as from a pipe that tells nothing of how much is to follow. */
const piped = (bytes: Uint8Array): ByteReader => {
  const chunks = Array.from({ length: Math.ceil(bytes.length / 3000) }, (_, i) => bytes.subarray(3000 * i, 3000 * (i + 1)))
  return new ByteReader(sourceOfChunks(chunks))
}

async function survives(bytes: Uint8Array, depth: 'headers' | 'rules' | 'data'): Promise<void> {
  const start = performance.now()
  let error: unknown
  const allocated = await allocatedBy(() => verify(piped(bytes), { depth, digest: (page) => page[0] as number }).catch((caught: unknown) => (error = caught)))
  expect(error === undefined || isXrError(error), String(error)).toBe(true)
  expect(allocated).toBeLessThan(FACTOR * bytes.length + CONSTANT)
  expect(performance.now() - start).toBeLessThan(MILLISECONDS)
}

it('memory made by length is seen', async () => {
  expect(await allocatedBy(() => Promise.resolve(new Uint8Array(1 << 20)))).toBe(1 << 20)
  expect(await allocatedBy(() => Promise.resolve(new PageMap().set(0, 1)))).toBeGreaterThan(1000)
})

const streams = ['ok_xlfile_tiny', 'ok_xl2_hvm_xenstore', 'ok_xl2_remus', 'ok_xc_v3_hvm', 'ok_xc_v3_pv64', 'ok_xc_v3_pv32'] as const
const lengths = fc.oneof(
  fc.constantFrom(0, 1, 7, 8, 0x0800_0000, 0x0800_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)

describe('a length or count that promises more than comes', () => {
  for (const name of streams) {
    it(`takes memory and time by what comes: ${name}`, { timeout: 120_000 }, async () => {
      const original = vector(name)
      const fields = (await headerFields(original)).filter(({ size }) => size === 4)
      const change = fc.record({ field: fc.constantFrom(...fields), value: lengths })
      const changes = fc.array(change, { minLength: 1, maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(changes, fc.constantFrom('headers', 'rules', 'data'), async (made, depth) => {
          const bytes = original.slice()
          for (const { field, value } of made) new DataView(bytes.buffer).setUint32(field.offset, value, !field.bigEndian)
          await survives(bytes, depth)
        }),
        { numRuns: 500 },
      )
    })
  }

  it('in every field at once', () =>
    fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 0, max: 0x12 }), lengths), { maxLength: 20 }), (heads) =>
      survives(build({ image: pv.image, domain: pv.domain, heads: heads.map(([type, length]) => piece(words(type, length))) }).bytes, 'data'))))
})

describe('what takes little room in a stream', () => {
  /** Time for the stream with `n` and with `4 n` of something; at least that of noise. */
  async function growth(layout: (n: number) => Layout, n: number): Promise<number> {
    const time = async (count: number): Promise<number> => {
      const { bytes } = build(layout(count))
      const start = performance.now()
      await judge(bytes)
      return Math.max(performance.now() - start, 40)
    }
    await time(n)
    return (await time(4 * n)) / (await time(n))
  }
  const many = (n: number, ...parts: readonly Part[]): readonly Part[] => Array.from({ length: n }, () => parts).flat()

  it('takes time as much as it is long: checkpoints of a guest with a long list of frames', { timeout: 60_000 }, async () => {
    const frames = (n: number): Layout => ({
      ...pv,
      p2m: p2m(0, 512 * 8 * n - 1, ...Array<bigint>(8 * n).fill(0n)),
      end: many(n, pageData([[5, 0xf]]), record(0x0e)),
    })
    expect(await growth(frames, 1000)).toBeLessThan(10)
  })

  it('takes time as much as it is long: page tables full of entries that lie far apart', { timeout: 60_000 }, async () => {
    const FRAMES = 1 << 14
    const table = (seed: number): Uint8Array => longs(...Array.from({ length: 512 }, (_, i) => (BigInt(((seed * 512 + i) * 7919) % (512 * FRAMES)) << 12n) | 1n))
    const tables = (n: number): Layout => ({
      ...pv,
      p2m: p2m(0, 512 * FRAMES - 1, ...Array<bigint>(FRAMES).fill(0n)),
      end: Array.from({ length: n }, (_, i) => pageData([[1, 1]], table(i))),
    })
    expect(await growth(tables, 30)).toBeLessThan(10)
  })
})
