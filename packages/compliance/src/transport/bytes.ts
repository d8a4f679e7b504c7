import type { Channel } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'

/** Bytes in which every place differs from its neighbours' and from places a power of two away. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Cuts bytes into parts whose sizes go round through `sizes`. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  return parts
}

/** Reads to the end, asking for sizes that go round. @throws AssertionError when a read gives more than asked for, or nothing */
export async function readAll(channel: Channel, sizes: readonly number[] = [65_536]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let i = 0; ; i++) {
    const max = sizes[i % sizes.length] ?? 1
    const bytes = await channel.read(max)
    if (bytes === undefined) break
    assert.ok(bytes.length >= 1 && bytes.length <= max, `a read of at most ${max} bytes gave ${bytes.length}`)
    parts.push(new Uint8Array(bytes))
  }
  return join(parts)
}

/** Reads just so many bytes. @throws AssertionError when the link ends before */
export async function readExactly(channel: Channel, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let left = length; left > 0; ) {
    const bytes = await channel.read(left)
    assert.ok(bytes !== undefined, `the link ended ${left} bytes early`)
    assert.ok(bytes.length >= 1 && bytes.length <= left, `a read of at most ${left} bytes gave ${bytes.length}`)
    parts.push(new Uint8Array(bytes))
    left -= bytes.length
  }
  return join(parts)
}

/** @throws AssertionError with the first place that differs, rather than with megabytes. */
export function sameBytes(got: Uint8Array, wanted: Uint8Array): void {
  const length = Math.min(got.length, wanted.length)
  for (let i = 0; i < length; i++) {
    if (got[i] !== wanted[i]) assert.fail(`byte ${i} is ${got[i]} and should be ${wanted[i]}`)
  }
  assert.equal(got.length, wanted.length, `${got.length} bytes came of ${wanted.length}`)
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
