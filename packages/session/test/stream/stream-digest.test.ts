import fc from 'fast-check'
import { createCipheriv, createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Buffers } from '../../src/stream/buffers.ts'
import { StreamDigest } from '../../src/stream/stream-digest.ts'
import { noise } from '../pair.ts'

const BLOCK = 256 * 1024
const key = noise(32, 7)
const long = noise(2 * BLOCK + 1000)

function digestOf(pieces: readonly Uint8Array[], session = key): string {
  const digest = new StreamDigest(session)
  for (const piece of pieces) digest.update(piece)
  return Buffer.from(digest.digest()).toString('hex')
}

/** The same, as its description has it and not as it is done. */
function asDescribed(bytes: Uint8Array): string {
  const tagKey = createHash('sha256').update('xr stream digest\0').update(key).digest()
  const tags = createHash('sha256')
  for (let block = 0; block * BLOCK < bytes.length; block += 1) {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32LE(block)
    const cipher = createCipheriv('aes-256-gcm', tagKey, nonce)
    cipher.setAAD(bytes.subarray(block * BLOCK, (block + 1) * BLOCK))
    cipher.final()
    tags.update(cipher.getAuthTag())
  }
  const length = Buffer.alloc(8)
  length.writeUInt32LE(bytes.length)
  return tags.update(length).digest('hex')
}

describe('the digest of a stream', () => {
  it.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, long.length])('of %i bytes is what its description says', (length) => {
    expect(digestOf([long.subarray(0, length)])).toBe(asDescribed(long.subarray(0, length)))
  })

  it('is the same wherever the stream was cut', () => {
    const whole = digestOf([long])
    fc.assert(
      fc.property(fc.array(fc.nat(long.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), long.length]
        expect(digestOf(places.slice(1).map((end, i) => long.subarray(places[i], end)))).toBe(whole)
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['a bit', (bytes: Uint8Array) => bytes.with(BLOCK + 5, (bytes[BLOCK + 5] as number) ^ 1)],
    ['the order of blocks', (bytes: Uint8Array) => Buffer.concat([bytes.subarray(BLOCK, 2 * BLOCK), bytes.subarray(0, BLOCK), bytes.subarray(2 * BLOCK)])],
    ['a missing block', (bytes: Uint8Array) => Buffer.concat([bytes.subarray(0, BLOCK), bytes.subarray(2 * BLOCK)])],
    ['zeros at the end', (bytes: Uint8Array) => Buffer.concat([bytes, new Uint8Array(3)])],
  ])('tells of %s', (_, change) => {
    expect(digestOf([change(long)])).not.toBe(digestOf([long]))
  })

  it('is another one in another session', () => {
    expect(digestOf([long], noise(32, 8))).not.toBe(digestOf([long]))
  })
})

describe('memory of batches', () => {
  it('is never with two at once, however often it is given back', () => {
    const buffers = new Buffers()
    const one = buffers.take(100_000)
    for (let i = 0; i < 3; i += 1) buffers.give(one.subarray(i))
    const taken = [buffers.take(100_000), buffers.take(100_000), buffers.take(1)]
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(3)
    expect(taken[0]?.buffer).toBe(one.buffer)
    expect(taken.map(({ length }) => length)).toEqual([100_000, 100_000, 1])
  })

  it('that is too small is left for others', () => {
    const buffers = new Buffers()
    const small = buffers.take(70_000)
    buffers.give(small)
    expect(buffers.take(1_000_000).buffer).not.toBe(small.buffer)
    expect(buffers.take(70_000).buffer).toBe(small.buffer)
  })
})
