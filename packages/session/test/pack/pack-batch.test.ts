import { nodeCompressors, type Compressor } from '@xen-replication/session'
import fc from 'fast-check'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Adaptive } from '../../src/pack/adaptive.ts'
import { chooseCompressor, compressionOffer } from '../../src/pack/offer.ts'
import { packBatch, unpackBatch } from '../../src/pack/pack-batch.ts'
import { elideZeros, restoreZeros, ZERO_RUN } from '../../src/pack/zero-runs.ts'
import { noise } from '../pair.ts'
import { VirtualClock } from '../virtual-clock.ts'

const deflate: Compressor = {
  name: 'deflate',
  compress: (bytes) => deflateRawSync(bytes, { level: 1 }),
  decompress: (bytes, maxOutputLength) => inflateRawSync(bytes, { maxOutputLength }),
}
/** Always in favour. */
const eager = Object.assign(Object.create(Adaptive.prototype) as Adaptive, { plan: () => 'packed' as const })
const clock = new VirtualClock()
const most = 1024 * 1024

/** Noise and zeros, one after the other. */
const patchwork = fc.array(fc.tuple(fc.nat(9000), fc.nat(20_000)), { maxLength: 6 }).map((pieces) =>
  Uint8Array.from(Buffer.concat(pieces.flatMap(([literal, zeros], i) => [noise(literal, i + 1), new Uint8Array(zeros)]))),
)

describe('runs of zeros', () => {
  it('come back where they were', () => {
    fc.assert(
      fc.property(patchwork, fc.nat(7), (bytes, shift) => {
        const shifted = new Uint8Array(bytes.length + shift).subarray(shift)
        shifted.set(bytes)
        const packed = elideZeros(shifted)
        if (packed === undefined) return
        expect(packed.length).toBeLessThan(bytes.length)
        expect(Buffer.compare(restoreZeros(packed, bytes.length), bytes)).toBe(0)
      }),
    )
  })

  it.each([0, 1, 100, 2047, 2048, 4095, 5000])('of a page are found when they start at byte %i', (at) => {
    const bytes = noise(20_000).map((byte) => byte | 1)
    bytes.fill(0, at, at + ZERO_RUN)
    expect(elideZeros(bytes)).toHaveLength(4 + 8 + bytes.length - ZERO_RUN)
  })

  it('shorter than a page stay', () => {
    const bytes = noise(20_000).map((byte) => byte | 1)
    bytes.fill(0, 2048, 2048 + ZERO_RUN - 1)
    expect(elideZeros(bytes)).toBeUndefined()
  })

  it('that are the whole batch leave a few bytes', () => {
    expect(elideZeros(new Uint8Array(most))).toHaveLength(12)
  })

  it.each([
    ['nothing', []],
    ['no pair', [0, 0, 0, 0]],
    ['more pairs than bytes', [255, 255, 255, 255, 0, 0, 0, 0]],
    ['a literal that is not there', [1, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 1]],
    ['a literal that has no place', [1, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, ...noise(200)]],
    ['too many zeros', [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]],
    ['too few zeros', [1, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0]],
  ])('with %s are refused', (_, packed) => {
    expect(() => restoreZeros(Uint8Array.from(packed), 100)).toThrow(expect.objectContaining({ code: 'SESSION_DAMAGED' }) as Error)
  })

  it('are refused without harm, whatever is written there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(4), fc.nat(9999), (bytes, pairs, length) => {
        const packed = Uint8Array.from([pairs, 0, 0, 0, ...bytes])
        try {
          expect(restoreZeros(packed, length)).toHaveLength(length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SESSION_DAMAGED' })
        }
      }),
    )
  })
})

describe('a batch', () => {
  it('is unpacked to what it was, however it is packed', async () => {
    await fc.assert(
      fc.asyncProperty(patchwork.filter(({ length }) => length > 0), fc.boolean(), fc.boolean(), async (bytes, zeros, compressed) => {
        const packing = { zeros, compressor: compressed ? deflate : undefined }
        const { batch } = await packBatch(bytes, 7, packing, eager, clock)
        expect(batch.payload.length).toBeLessThanOrEqual(bytes.length)
        expect(Buffer.compare(await unpackBatch(batch, packing, most), bytes)).toBe(0)
      }),
    )
  })

  it('that does not shrink goes as it is', async () => {
    const bytes = noise(10_000)
    const { batch } = await packBatch(bytes, 0, { zeros: true, compressor: deflate }, eager, clock)
    expect(batch).toMatchObject({ codec: 0, form: 0, payload: bytes })
  })

  it('of a few bytes is not even looked at', async () => {
    const { cost } = await packBatch(new Uint8Array(100), 0, { zeros: false, compressor: deflate }, eager, clock)
    expect(cost.how).toBe('plain')
  })

  const packing = { zeros: true, compressor: deflate }
  const good = async (): Promise<Awaited<ReturnType<typeof packBatch>>['batch']> => (await packBatch(new Uint8Array(10_000).fill(5), 0, { zeros: false, compressor: deflate }, eager, clock)).batch

  it.each([
    ['is empty', { length: 0, unpacked: 0 }, 'SESSION_TOO_LARGE'],
    ['is longer than agreed on', { length: most + 1 }, 'SESSION_TOO_LARGE'],
    ['grows before zeros are put back', { unpacked: 10_001 }, 'SESSION_TOO_LARGE'],
    ['has a compression that was not agreed on', { codec: 2 }, 'SESSION_UNEXPECTED'],
    ['has zeros left out in a way nobody knows', { form: 2 }, 'SESSION_UNEXPECTED'],
    ['is not compressed as it says', { payload: Uint8Array.from([1, 2, 3]) }, 'SESSION_DAMAGED'],
    ['would become longer than it says', { unpacked: 9_999 }, 'SESSION_DAMAGED'],
    ['has a checksum that does not fit', { crc: 1 }, 'SESSION_DAMAGED'],
    ['has another length than it says', { codec: 0 }, 'SESSION_DAMAGED'],
    ['says that zeros are left out', { form: 1 }, 'SESSION_DAMAGED'],
  ])('that %s is refused', async (_, change, code) => {
    await expect(unpackBatch({ ...(await good()), ...change }, packing, most)).rejects.toMatchObject({ code })
  })

  it('with compression or zeros that were not agreed on is refused', async () => {
    await expect(unpackBatch(await good(), { zeros: true, compressor: undefined }, most)).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED' })
    await expect(unpackBatch({ ...(await good()), form: 1 }, { zeros: false, compressor: deflate }, most)).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED' })
  })
})

describe('what is offered', () => {
  const lz4 = { ...deflate, name: 'lz4' }
  const zstd = { ...deflate, name: 'zstd' }
  it.each([
    ['auto', [deflate, lz4, zstd], ['zstd', 'lz4', 'deflate']],
    ['auto', [], []],
    ['none', [zstd], []],
    ['lz4', [lz4, zstd], ['lz4']],
  ])('for %s is in order of preference', (choice, available, offer) => {
    expect(compressionOffer(choice, available)).toEqual(offer)
  })

  it('for what is not there is an error with what is', () => {
    expect(() => compressionOffer('lz4', [zstd])).toThrow(expect.objectContaining({ code: 'SESSION_COMPRESSION', hint: 'here there is: none, auto, zstd' }) as Error)
  })

  it('is taken as the other side prefers', () => {
    expect(chooseCompressor(['zstd', 'lz4'], 'auto', [lz4, zstd])?.name).toBe('zstd')
    expect(chooseCompressor(['zstd', 'lz4'], 'auto', [lz4])?.name).toBe('lz4')
    expect(chooseCompressor(['zstd', 'lz4'], 'none', [lz4])).toBeUndefined()
    expect(chooseCompressor(['zstd'], 'auto', [lz4])).toBeUndefined()
  })
})

describe('what Node brings along', () => {
  it('is nothing where it has no zstd', () => {
    expect(nodeCompressors({ constants: {} })).toEqual([])
  })

  it('is zstd where it has, with a limit for what comes out', async () => {
    const seen: object[] = []
    const [zstd] = nodeCompressors({
      constants: { ZSTD_c_compressionLevel: 100 },
      zstdCompress: (bytes, options, done) => (seen.push(options), done(null, deflateRawSync(bytes))),
      zstdDecompress: (bytes, options, done) => {
        seen.push(options)
        try {
          done(null, inflateRawSync(bytes, options))
        } catch (error) {
          done(error as Error, bytes)
        }
      },
    })
    const made = await zstd?.compress(new Uint8Array(5000))
    expect(await zstd?.decompress(made as Uint8Array, 5000)).toHaveLength(5000)
    await expect(zstd?.decompress(made as Uint8Array, 4999)).rejects.toThrow()
    expect(seen).toEqual([{ params: { 100: 1 } }, { maxOutputLength: 5000 }, { maxOutputLength: 4999 }])
  })
})
