import type { Random } from './random.ts'
import type { Seed } from './seeds.ts'

/** Room for an input that grows. */
const ROOM = 1 << 18
const LENGTHS = [1, 2, 4, 8, 16, 24, 40, 4096]
const BYTES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 14, 16, 17, 18, 0x7f, 0x80, 0xff]
const WORDS = [0, 1, 2, 4, 7, 8, 9, 16, 24, 0x0d, 0x0e, 0x10, 0x13, 1023, 1024, 1025, 4096, 0x800_0000, 0x800_0001, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff8, 0xffff_ffff]

/** An input in the making. */
interface Draft {
  readonly bytes: Uint8Array
  readonly view: DataView
  length: number
}
type Mutator = (draft: Draft, random: Random, seed: Seed, seeds: readonly Seed[]) => void

/** A place in the draft, most often one that matters. */
function spot({ length }: Draft, random: Random, { spots }: Seed): number {
  const at = random.below(8) === 0 ? random.below(length) : random.pick(spots)
  return Math.min(at, Math.max(0, length - 1))
}

function remove(draft: Draft, at: number, count: number): void {
  const from = Math.min(at, draft.length)
  const gone = Math.min(count, draft.length - from)
  draft.bytes.copyWithin(from, from + gone, draft.length)
  draft.length -= gone
}

function insert(draft: Draft, at: number, piece: Uint8Array): void {
  if (draft.length + piece.length > ROOM) return
  const from = Math.min(at, draft.length)
  draft.bytes.copyWithin(from + piece.length, from, draft.length)
  draft.bytes.set(piece, from)
  draft.length += piece.length
}

/** A record of the seed with what belongs to it: up to the next head. */
function stretch(random: Random, { heads, bytes }: Seed): readonly [from: number, to: number] {
  const i = random.below(heads.length)
  return [heads[i] ?? 0, heads[i + 1] ?? bytes.length]
}

const HEAD = new Uint8Array(8)
function emptyRecord(random: Random): Uint8Array {
  HEAD.fill(0)
  HEAD[0] = random.below(0x15)
  HEAD[3] = random.below(16) === 0 ? 0x80 : 0
  return HEAD
}

const mutators: readonly Mutator[] = [
  (draft, random, seed) => {
    const at = spot(draft, random, seed)
    draft.bytes[at] = (draft.bytes[at] as number) ^ (1 << random.below(8))
  },
  (draft, random, seed) => {
    draft.bytes[spot(draft, random, seed)] = random.below(2) === 0 ? random.pick(BYTES) : random.below(256)
  },
  (draft, random, seed) => {
    const at = Math.min(spot(draft, random, seed), draft.length - 4)
    if (at >= 0) draft.view.setUint32(at, random.below(4) === 0 ? random.next() : random.pick(WORDS), random.below(4) !== 0)
  },
  (draft, random, seed) => remove(draft, spot(draft, random, seed), random.pick(LENGTHS)),
  (draft, random, seed) => insert(draft, spot(draft, random, seed), new Uint8Array(random.pick(LENGTHS) & 0xff)),
  (draft, random, seed) => (draft.length = spot(draft, random, seed)),
  (draft, random, seed) => insert(draft, random.pick(seed.heads), emptyRecord(random)),
  (draft, random, seed) => insert(draft, random.pick(seed.heads), seed.bytes.subarray(...stretch(random, seed))),
  (draft, random, seed) => {
    const [from, to] = stretch(random, seed)
    remove(draft, from, to - from)
  },
  (draft, random, seed) => {
    const [from, to] = stretch(random, seed)
    remove(draft, from, to - from)
    insert(draft, random.pick(seed.heads), seed.bytes.subarray(from, to))
  },
  (draft, random, seed, seeds) => {
    const other = random.pick(seeds)
    insert(draft, random.pick(seed.heads), other.bytes.subarray(...stretch(random, other)))
  },
  (draft, random, seed, seeds) => {
    const other = random.pick(seeds)
    draft.length = Math.min(draft.length, random.pick(seed.heads))
    insert(draft, draft.length, other.bytes.subarray(random.pick(other.heads)))
  },
]

/** Makes inputs; each is valid until the next is made. */
export class Inputs {
  readonly #seeds: readonly Seed[]
  readonly #draft: Draft

  /** @param seeds shortest first. */
  constructor(seeds: readonly Seed[]) {
    const bytes = new Uint8Array(ROOM)
    this.#seeds = seeds
    this.#draft = { bytes, view: new DataView(bytes.buffer), length: 0 }
  }

  make(random: Random): Uint8Array {
    const seeds = this.#seeds
    // The lower of two draws: short seeds come three times as often as long ones, and take less time.
    const seed = seeds[Math.min(random.below(seeds.length), random.below(seeds.length))] as Seed
    const draft = this.#draft
    draft.bytes.set(seed.bytes)
    draft.length = seed.bytes.length
    const times = 1 + Math.min(random.below(4), random.below(4))
    for (let i = 0; i < times; i++) random.pick(mutators)(draft, random, seed, seeds)
    return draft.bytes.subarray(0, draft.length)
  }
}
