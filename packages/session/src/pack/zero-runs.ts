import { viewOf } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'

/** Gives so many bytes, whatever is in them. */
export type Memory = (bytes: number) => Uint8Array

export const fresh: Memory = (bytes) => new Uint8Array(bytes)

/** Shortest run of zeros that is left out, in bytes: a page. */
export const ZERO_RUN = 4096
/** A run of that length contains a block of half of it wherever it starts. */
const BLOCK = ZERO_RUN / 2
const PAIR = 8

/**
 * Leaves out runs of at least 4096 zero bytes, wherever they start: the pages of a stream lie at odd places in it. Layout: u32 number of pairs, the
 * pairs of u32 lengths (bytes that follow, zeros after them), then the bytes.
 *
 * @param memory gives room for what comes out, so many bytes.
 * @returns undefined when there is no such run.
 */
export function elideZeros(bytes: Uint8Array, memory: Memory = fresh): Uint8Array | undefined {
  const runs = findRuns(bytes)
  if (runs.length === 0) return undefined
  const zeros = runs.reduce((sum, { from, to }) => sum + to - from, 0)
  const out = memory(4 + PAIR * runs.length + bytes.length - zeros)
  const view = viewOf(out)
  view.setUint32(0, runs.length, true)
  let at = 0
  let put = 4 + PAIR * runs.length
  runs.forEach(({ from, to }, i) => {
    view.setUint32(4 + PAIR * i, from - at, true)
    view.setUint32(8 + PAIR * i, to - from, true)
    out.set(bytes.subarray(at, from), put)
    put += from - at
    at = to
  })
  out.set(bytes.subarray(at), put)
  return out
}

/**
 * Puts them back.
 *
 * @param length bytes that have to come out, which the caller has found to be allowed.
 * @throws SessionError SESSION_DAMAGED
 */
export function restoreZeros(packed: Uint8Array, length: number, memory: Memory = fresh): Uint8Array {
  const pairs = packed.length < 4 ? 0 : viewOf(packed).getUint32(0, true)
  const start = 4 + PAIR * pairs
  if (pairs === 0 || start > packed.length) throw damaged()
  const out = memory(length)
  const view = viewOf(packed)
  let from = start
  let at = 0
  for (let i = 0; i < pairs; i += 1) {
    const literal = view.getUint32(4 + PAIR * i, true)
    if (from + literal > packed.length || at + literal > length) throw damaged()
    out.set(packed.subarray(from, from + literal), at)
    from += literal
    const zeros = view.getUint32(8 + PAIR * i, true)
    out.fill(0, at + literal, at + literal + zeros)
    at += literal + zeros
  }
  if (at + packed.length - from !== length) throw damaged()
  out.set(packed.subarray(from), at)
  return out
}

interface Run {
  readonly from: number
  readonly to: number
}

function findRuns(bytes: Uint8Array): readonly Run[] {
  const runs: Run[] = []
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (!isZero(bytes, at)) continue
    const from = startOf(bytes, at, runs.at(-1)?.to ?? 0)
    const to = endOf(bytes, at + BLOCK)
    if (to - from >= ZERO_RUN) runs.push({ from, to })
    at = to - (to % BLOCK)
  }
  return runs
}

/** Whether the block at `at` is all zero; most are not and show it in a few bytes. */
function isZero(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0 || bytes[at + BLOCK / 2] !== 0 || bytes[at + BLOCK - 1] !== 0) return false
  const words = (4 - ((bytes.byteOffset + at) % 4)) % 4
  const all = new Int32Array(bytes.buffer, bytes.byteOffset + at + words, BLOCK / 4 - 1)
  for (let i = 0; i < all.length; i += 1) if (all[i] !== 0) return false
  for (let i = 0; i < words; i += 1) if (bytes[at + i] !== 0) return false
  for (let i = words + 4 * all.length; i < BLOCK; i += 1) if (bytes[at + i] !== 0) return false
  return true
}

function startOf(bytes: Uint8Array, at: number, least: number): number {
  let from = at
  while (from > least && bytes[from - 1] === 0) from -= 1
  return from
}

function endOf(bytes: Uint8Array, at: number): number {
  let to = at
  while (to + BLOCK <= bytes.length && isZero(bytes, to)) to += BLOCK
  while (to < bytes.length && bytes[to] === 0) to += 1
  return to
}

const damaged = (): SessionError => new SessionError('SESSION_DAMAGED', 'a batch with zeros left out does not fit its length')
