// Randomness that is the same everywhere for the same seed. Source of the mixing: MurmurHash3 fmix32; xoshiro128** by Blackman and Vigna.

/** Scrambles 32 bits. */
function mix32(value: number): number {
  let h = value ^ (value >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 32 bits that depend on all the words. */
export function hash32(...words: readonly number[]): number {
  return words.reduce((h, word) => mix32((mix32(h) + word + 0x9e3779b9) | 0), 0)
}

/** Words that the state of a generator takes. */
const RNG_WORDS = 4

/** Puts a generator at its start. `state[at…at+3]` is its state, which may lie in guest memory. */
export function seedRng(state: Uint32Array, at: number, seed: number): void {
  for (let i = 0; i < RNG_WORDS; i += 1) state[at + i] = hash32(seed, i + 1)
}

/** The next 32 bits. */
export function nextRandom(state: Uint32Array, at: number): number {
  const s0 = state[at] as number
  const s1 = state[at + 1] as number
  const s2 = (state[at + 2] as number) ^ s0
  const s3 = (state[at + 3] as number) ^ s1
  state[at] = s0 ^ s3
  state[at + 1] = s1 ^ s2
  state[at + 2] = s2 ^ (s1 << 9)
  state[at + 3] = rotate(s3, 11)
  return Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0
}

/** A number from 0 to `limit` - 1, all as likely. */
export function nextBelow(state: Uint32Array, at: number, limit: number): number {
  return Math.floor((nextRandom(state, at) / 2 ** 32) * limit)
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

/** Bytes that look random and depend on the seed alone. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  fillWords(words, seed)
  return new Uint8Array(words.buffer, 0, length)
}

/** Fills words with what looks random. */
export function fillWords(words: Uint32Array, seed: number): void {
  const state = new Uint32Array(RNG_WORDS)
  seedRng(state, 0, seed)
  for (let i = 0; i < words.length; i += 1) words[i] = nextRandom(state, 0)
}

/** A UUID of version 4 that depends on the seed alone. */
export function uuidOf(seed: number): string {
  const bytes = randomBytes(16, seed)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
