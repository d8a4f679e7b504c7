import { FormatError } from '../format-error.ts'

/** Pfns of one block. */
const BLOCK = 4096
/** A block with more pfns than this is kept as an array. */
const SPARSE_MAX = 128
/** Blocks with few pfns that a table may have: enough for every hole a real guest has, and a bound on memory for made-up images. */
const SPARSE_BLOCKS_MAX = 1 << 18
const UNSET = -1

type Block = Float64Array | Map<number, number>

/**
 * A number of 0 or more for each pfn. Memory follows the number of pfns set: 8 bytes each where they lie close together, some
 * hundred for one that lies alone.
 */
export class PfnTable {
  readonly #blocks = new Map<number, Block>()
  #sparse = 0
  #size = 0
  #end = 0
  #number = -1
  #block: Block | undefined

  /** Pfns that are set. */
  get size(): number {
    return this.#size
  }

  /** One above the highest pfn set, 0 when there is none. */
  get end(): number {
    return this.#end
  }

  get(pfn: number): number | undefined {
    const block = this.#find(Math.floor(pfn / BLOCK))
    if (block === undefined) return undefined
    if (block instanceof Map) return block.get(pfn % BLOCK)
    const value = block[pfn % BLOCK] as number
    return value === UNSET ? undefined : value
  }

  /** @throws FormatError FMT_PFN_RANGE when pfns lie apart as in no real guest. */
  set(pfn: number, value: number): void {
    const number = Math.floor(pfn / BLOCK)
    const block = this.#find(number) ?? this.#newBlock(number, pfn)
    if (this.get(pfn) === undefined) {
      this.#size++
      if (pfn >= this.#end) this.#end = pfn + 1
    }
    if (block instanceof Map) {
      block.set(pfn % BLOCK, value)
      if (block.size > SPARSE_MAX) this.#fill(number, block)
    } else block[pfn % BLOCK] = value
  }

  /** Every pfn set, ascending. */
  *entries(): Generator<readonly [pfn: number, value: number], void, void> {
    for (const number of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      const from = number * BLOCK
      for (const [i, value] of listed(this.#blocks.get(number) as Block)) yield [from + i, value]
    }
  }

  #find(number: number): Block | undefined {
    if (number !== this.#number) {
      this.#number = number
      this.#block = this.#blocks.get(number)
    }
    return this.#block
  }

  #newBlock(number: number, pfn: number): Block {
    if (++this.#sparse > SPARSE_BLOCKS_MAX) {
      throw new FormatError('FMT_PFN_RANGE', `pfn 0x${pfn.toString(16)} and ${SPARSE_BLOCKS_MAX} before it lie far apart`, {
        hint: 'no guest has memory like that; the image is damaged or made up',
      })
    }
    return this.#put(number, new Map())
  }

  #fill(number: number, from: Map<number, number>): void {
    this.#sparse--
    const block = new Float64Array(BLOCK).fill(UNSET)
    for (const [i, value] of from) block[i] = value
    this.#put(number, block)
  }

  #put(number: number, block: Block): Block {
    this.#blocks.set(number, block)
    this.#number = number
    this.#block = block
    return block
  }
}

function* listed(block: Block): Generator<readonly [i: number, value: number], void, void> {
  if (block instanceof Map) yield* [...block].sort(([a], [b]) => a - b)
  else for (let i = 0; i < BLOCK; i++) if (block[i] !== UNSET) yield [i, block[i] as number]
}
