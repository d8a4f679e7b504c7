import { describe, expect, it } from 'vitest'
import { sourceOfBytes, sourceOfChunks, type ByteSource } from '../../src/bytes/byte-source.ts'

async function all(source: ByteSource, max: number): Promise<readonly number[][]> {
  const pieces: number[][] = []
  for (let piece = await source.read(max); piece !== undefined; piece = await source.read(max)) pieces.push([...piece])
  return pieces
}

describe('a source of bytes in memory', () => {
  it('gives no more than is asked for', async () => {
    expect(await all(sourceOfBytes(Uint8Array.of(1, 2, 3, 4, 5)), 2)).toEqual([[1, 2], [3, 4], [5]])
  })
  it('passes over what there is', () => {
    const source = sourceOfBytes(Uint8Array.of(1, 2, 3))
    expect([source.skip?.(2), source.skip?.(2), source.read(1)]).toEqual([2, 1, undefined])
  })
})

describe('a source of chunks', () => {
  async function* later(): AsyncGenerator<Uint8Array, void, void> {
    yield await Promise.resolve(Uint8Array.of(1, 2, 3))
    yield new Uint8Array(0)
    yield Uint8Array.of(4)
  }

  it('gives no more than is asked for, and never two chunks at once', async () => {
    expect(await all(sourceOfChunks(later()), 2)).toEqual([[1, 2], [3], [4]])
    expect(await all(sourceOfChunks([Uint8Array.of(1, 2), Uint8Array.of(3)]), 9)).toEqual([[1, 2], [3]])
  })

  it('answers at once with what it holds', async () => {
    const source = sourceOfChunks(later())
    await source.read(1)
    expect(source.read(1)).toEqual(Uint8Array.of(2))
  })

  it('takes a chunk only when the one before is used up', async () => {
    let taken = 0
    const source = sourceOfChunks(
      (function* () {
        for (; ; taken++) yield Uint8Array.of(1, 2)
      })(),
    )
    await source.read(1)
    await source.read(1)
    expect(taken).toBe(0)
    await source.read(1)
    expect(taken).toBe(1)
  })
})
