import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { legacyEntries } from '../../src/legacy/entries.ts'
import { encodeLegacy } from '../../src/legacy/encode.ts'
import { bodyOf, onlineVcpus, type LegacyStep } from '../../src/legacy/steps.ts'
import { choppedReader, gathered, reencoded, stepsOf } from './streams.ts'
import { bytesOf } from './streams.ts'
import { ulong } from './build.ts'

type Width = 32 | 64
const word = fc.integer({ min: 0, max: 0xffffffff })
const wide = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const blob = fc.uint8Array({ maxLength: 40 })
const sized = (size: number): fc.Arbitrary<Uint8Array> => fc.nat(255).map((fill) => new Uint8Array(size).fill(fill))
const offset = 0

const batch = (width: Width): fc.Arbitrary<LegacyStep> =>
  fc.array(word, { minLength: 1, maxLength: 4 }).chain((words) => {
    const entries = legacyEntries(bytesOf(ulong(width, ...words)), width)
    return sized(4096 * entries.contents).map((data): LegacyStep => ({ kind: 'batch', offset, entries, contents: bodyOf(data) }))
  })

const chunks = (width: Width): fc.Arbitrary<LegacyStep[]> =>
  fc.array(
    fc.oneof(
      batch(width),
      fc.constantFrom<LegacyStep>({ kind: 'verify-mode', offset }, { kind: 'last-checkpoint', offset }),
      fc.record({ kind: fc.constant('hvm-param' as const), offset: fc.constant(0), chunk: fc.constantFrom(-3, -20), name: fc.constant(''), param: fc.constant(0), pad: word, value: wide }),
      fc.record({ kind: fc.constant('tsc-info' as const), offset: fc.constant(0), mode: word, nsec: wide, khz: word, incarnation: word }),
      fc.record({ kind: fc.constant('toolstack' as const), offset: fc.constant(0), data: blob }),
    ),
    { maxLength: 6 },
  )

const compression = (width: Width): fc.Arbitrary<LegacyStep[]> =>
  fc.option(fc.tuple(word, blob), { nil: undefined }).map((some): LegacyStep[] => {
    if (some === undefined) return []
    const entries = legacyEntries(bytesOf(ulong(width, some[0])), width)
    return [
      { kind: 'enable-compression', offset },
      { kind: 'batch', offset, entries, contents: 'compressed' },
      { kind: 'compressed-data', offset, sizeBytes: 4, data: bodyOf(some[1]) },
    ]
  })

const hvmStream = (width: Width): fc.Arbitrary<LegacyStep[]> =>
  fc
    .tuple(chunks(width), compression(width), fc.nat(1000), wide, blob, fc.constantFrom('DeviceModelRecord0002', 'RemusDeviceModelState', 'QemuDeviceModelRecord'))
    .map(([middle, compressed, p2mSize, pfn, data, signature]): LegacyStep[] => [
      { kind: 'start', offset, p2mSize: BigInt(p2mSize), guest: 'hvm', width },
      ...middle,
      ...compressed,
      { kind: 'end-of-chunks', offset },
      { kind: 'magic-pfns', offset, ioreq: pfn, bufferedIoreq: 2n, store: 3n },
      { kind: 'hvm-context', offset, data },
      { kind: 'qemu', offset, signature, data },
      { kind: 'end', offset },
    ])

const pvStream = (width: Width): fc.Arbitrary<LegacyStep[]> =>
  fc
    .record({ middle: chunks(width), compressed: compression(width), pages: fc.integer({ min: 1, max: 4000 }), size: fc.constantFrom(0x1430, 0xaf0), extv: fc.boolean(), xsave: fc.nat(64), map: fc.uint8Array({ minLength: 8, maxLength: 8 }), unmapped: fc.nat(4) })
    .map(({ middle, compressed, pages, size, extv, xsave, map, unmapped }): LegacyStep[] => {
      const bitmap = map.map((byte) => byte & 0x11)
      const blocks: LegacyStep[] = [
        { kind: 'extended-block', offset, id: 'vcpu', data: new Uint8Array(size) },
        ...(extv ? [{ kind: 'extended-block', offset, id: 'extv', data: new Uint8Array(0) } as const] : []),
        ...(xsave > 0 ? [{ kind: 'extended-block', offset, id: 'xcnt', data: bytesOf(['w', 16 + xsave]) } as const] : []),
      ]
      const length = blocks.reduce((sum, step) => sum + 8 + (step as { data: Uint8Array }).data.length, 0)
      const count = Math.ceil(pages / (size === 0x1430 ? 512 : 1024))
      const area = xsave > 0 ? { mask: 7n, data: new Uint8Array(xsave).fill(5) } : undefined
      return [
        { kind: 'start', offset, p2mSize: BigInt(pages), guest: 'pv', width },
        { kind: 'extended-info', offset, length },
        ...blocks,
        { kind: 'p2m-frames', offset, count, frames: bodyOf(new Uint8Array((count * width) / 8).fill(3)) },
        ...middle,
        { kind: 'vcpu-info', offset, maxId: 63, bitmap },
        ...compressed,
        { kind: 'end-of-chunks', offset },
        { kind: 'unmapped-pfns', offset, count: unmapped, pfns: bodyOf(new Uint8Array((unmapped * width) / 8)) },
        ...onlineVcpus(bitmap).map((id): LegacyStep => ({ kind: 'vcpu', offset, id, basic: new Uint8Array(size).fill(id), extended: extv ? new Uint8Array(128).fill(1) : undefined, xsave: area })),
        { kind: 'shared-info', offset, data: new Uint8Array(4096).fill(8) },
        { kind: 'end', offset },
      ]
    })

/** A step without its place and its long contents, which can be read once only. */
const bare = (step: LegacyStep): unknown => JSON.parse(JSON.stringify({ ...step, offset: 0, name: '', param: 0, contents: undefined, frames: undefined, pfns: undefined, data: 'data' in step && step.data instanceof Uint8Array ? step.data : undefined }, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)))

describe.each([
  ['HVM', 64, hvmStream(64)],
  ['HVM', 32, hvmStream(32)],
  ['PV', 64, pvStream(64)],
  ['PV', 32, pvStream(32)],
] as const)('any %s stream of a %i-bit toolstack', (guest, width, streams) => {
  const known = { guest: guest === 'PV' ? 'pv' : 'hvm', width, compressedSize: 'u32' } as const

  it('decodes to the steps it was made of, and encodes to the same bytes however they arrive', async () => {
    await fc.assert(
      fc.asyncProperty(streams, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 }), async (steps, sizes) => {
        const bytes = await gathered(encodeLegacy(steps))
        expect((await stepsOf(bytes, known)).map(bare)).toEqual(steps.map(bare))
        expect(Buffer.compare(await reencoded(bytes, known, choppedReader(bytes, sizes)), bytes)).toBe(0)
      }),
      { numRuns: 30 },
    )
  })
})
