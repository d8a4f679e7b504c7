import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'

const counting = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i & 0xff)
const chunked = (bytes: Uint8Array, size: number): ByteReader =>
  new ByteReader(sourceOfChunks(Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(size * i, size * (i + 1)))))

describe('bytes come in order', () => {
  it('as many as are asked for, however they were cut', async () => {
    const reader = chunked(counting(100), 7)
    expect([...(await reader.take(20))]).toEqual([...counting(20)])
    expect(reader.offset).toBe(20)
    expect([...(await reader.take(80))]).toEqual([...counting(100).subarray(20)])
    expect(await reader.some(1)).toBeUndefined()
  })

  it('none when none are asked for', async () => {
    expect((await chunked(counting(1), 1).upTo(0)).length).toBe(0)
  })

  it('fewer at the end, or an error with the place where they ran out', async () => {
    const reader = chunked(counting(10), 4)
    expect((await reader.upTo(12)).length).toBe(10)
    expect((await reader.upTo(1)).length).toBe(0)
    await expect(chunked(counting(10), 4).take(12)).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 10, message: expect.stringContaining('12 bytes wanted, 10 came') as string })
  })

  it('also more of them than are held at first', async () => {
    const bytes = counting(300_000)
    expect(Buffer.from(await chunked(bytes, 1000).take(bytes.length)).equals(bytes)).toBe(true)
    expect((await chunked(bytes, 70_000).upTo(400_000)).length).toBe(bytes.length)
  })

  it('counted from where the source starts', async () => {
    const reader = new ByteReader(sourceOfBytes(counting(3)), 1000)
    await reader.take(2)
    expect(reader.offset).toBe(1002)
  })

  it('in memory of their own on demand', async () => {
    const bytes = counting(4)
    const copy = await new ByteReader(sourceOfBytes(bytes)).copy(4)
    bytes.fill(9)
    expect([...copy]).toEqual([0, 1, 2, 3])
  })
})

describe('a look ahead', () => {
  it('consumes nothing', async () => {
    const reader = chunked(counting(20), 3)
    expect([...(await reader.peek(5))]).toEqual([0, 1, 2, 3, 4])
    expect([...(await reader.peek(2))]).toEqual([0, 1])
    expect([...(await reader.peek(8))]).toEqual([...counting(8)])
    expect(reader.offset).toBe(0)
    expect([...(await reader.take(20))]).toEqual([...counting(20)])
  })

  it('is short at the end', async () => {
    expect((await chunked(counting(3), 2).peek(8)).length).toBe(3)
  })
})

describe('bytes passed over', () => {
  it('are counted, seen ahead or not', async () => {
    const reader = chunked(counting(30), 4)
    await reader.peek(3)
    expect(await reader.skip(10)).toBe(10)
    expect([...(await reader.take(1))]).toEqual([10])
    expect(await reader.skip(100)).toBe(19)
  })

  it('are not read by a source that can seek', async () => {
    const bytes = counting(30)
    const source = sourceOfBytes(bytes)
    const read: number[] = []
    const reader = new ByteReader({ read: (max) => (read.push(max), source.read(max)), skip: (count) => source.skip?.(count) ?? 0 })
    await reader.peek(2)
    expect(await reader.skip(10)).toBe(10)
    expect([...(await reader.take(1))]).toEqual([10])
    expect(await reader.skip(100)).toBe(19)
    expect(read).toEqual([2, 1])
  })
})

type Step = readonly ['upTo' | 'peek' | 'skip' | 'some', number]
const steps = fc.array(fc.tuple(fc.constantFrom('upTo', 'peek', 'skip', 'some'), fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30_000 }))), { maxLength: 30 })

it('whatever is called in whatever order, the bytes are those of the stream', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), steps, async (size, calls: Step[]) => {
      const bytes = counting(100_000)
      const reader = chunked(bytes, size)
      for (const [call, count] of calls) {
        const at = reader.offset
        const got = await reader[call](count)
        const length = typeof got === 'number' ? got : (got?.length ?? 0)
        if (got !== undefined && typeof got === 'object') expect(Buffer.from(got).equals(bytes.subarray(at, at + length))).toBe(true)
        if (call !== 'some') expect(length).toBe(Math.min(count, bytes.length - at))
        expect(reader.offset).toBe(call === 'peek' ? at : at + length)
      }
    }),
  ))
