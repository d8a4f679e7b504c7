import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Adaptive, SAMPLE_BYTES } from '../../src/pack/adaptive.ts'

interface World {
  /** Bytes a millisecond that the wire takes, that the receiver takes of the stream, that the compressor takes. */
  readonly wire: number
  readonly receiver: number
  readonly compressor: number
  /** What is left of a byte, batch by batch. */
  ratio(batch: number): number
  /** Bytes that the wire and the receiver hold. */
  readonly buffer: number
}

const BATCH = 1024 * 1024

/** Milliseconds that a stream takes in a world. A batch is written when there is room for it; wire and receiver empty the buffer meanwhile. */
function time(world: World, batches: number, adaptive: Adaptive | undefined): number {
  let now = 0
  let free = 0 // when everything that is under way will have gone
  for (let i = 0; i < batches; i += 1) {
    const how = adaptive?.plan(BATCH) ?? 'plain'
    const from = how === 'plain' ? 0 : how === 'sampled' ? SAMPLE_BYTES : BATCH
    const packMs = from / world.compressor
    const start = now
    now += packMs
    const bytes = how === 'packed' ? Math.min(BATCH, BATCH * world.ratio(i)) : BATCH
    const takes = Math.max(bytes / world.wire, BATCH / world.receiver)
    free = Math.max(free, now) + takes
    now = Math.max(now, free - world.buffer / world.wire)
    adaptive?.note({ how, bytes: BATCH, ms: now - start, packMs, from, to: from * world.ratio(i) })
  }
  return Math.max(now, free)
}

const speed = (least: number, most: number): fc.Arbitrary<number> => fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map((x) => Math.exp(x) * 1000)

describe('adaptive compression', () => {
  it('is never slower than none by more than 1 %, whatever wire, receiver, compressor and data are like', () => {
    fc.assert(
      fc.property(
        fc.record({ wire: speed(10, 5000), receiver: speed(10, 5000), compressor: speed(20, 3000), buffer: fc.constantFrom(0, 256 * 1024, 4 * BATCH, 8 * BATCH) }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0.01, max: 1.1, noNaN: true })), { minLength: 1, maxLength: 6 }),
        (world, phases) => {
          const ratios = phases.flatMap(([length, ratio]) => Array.from({ length }, () => ratio))
          const ratio = (i: number): number => ratios[i % ratios.length] as number
          const plain = time({ ...world, ratio }, 2000, undefined)
          const packed = time({ ...world, ratio }, 2000, new Adaptive())
          expect(packed).toBeLessThanOrEqual(plain * 1.01)
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each([
    ['a wire of 1 Gbit/s and data that halve', { wire: 125_000, receiver: 1e6, compressor: 500_000, buffer: 4 * BATCH, ratio: () => 0.5 }, 0.62],
    ['a wire of 100 Mbit/s and data that shrink to a fifth', { wire: 12_500, receiver: 1e6, compressor: 400_000, buffer: BATCH, ratio: () => 0.2 }, 0.35],
  ])('pays off on %s', (_, world, share) => {
    expect(time(world, 2000, new Adaptive()) / time(world, 2000, undefined)).toBeLessThan(share)
  })

  it('is hardly tried on data that do not shrink', () => {
    const world = { wire: 125_000, receiver: 1e6, compressor: 500_000, buffer: BATCH, ratio: () => 1 }
    const adaptive = new Adaptive()
    let tried = 0
    for (let i = 0; i < 2000; i += 1) {
      const how = adaptive.plan(BATCH)
      if (how !== 'plain') tried += 1
      const from = how === 'plain' ? 0 : SAMPLE_BYTES
      adaptive.note({ how, bytes: BATCH, ms: BATCH / world.wire + from / world.compressor, packMs: from / world.compressor, from, to: from })
    }
    expect(tried).toBeGreaterThan(2)
    expect(tried).toBeLessThan(12)
  })
})
