/** Pfns that one dense block covers. */
const BLOCK_BITS = 12
const BLOCK = 1 << BLOCK_BITS
/** Pfns below are split by shifting. */
const SMALL = 2 ** 31
/** Dense blocks may cover this many pfns for each pfn set, so a few wild pfns cannot take memory. */
const REACH = 64
/** Pfns that dense blocks cover from the start: 4 GiB of guest memory, which holds every PC's device hole. */
const FIRST_REACH = 1 << 20

const blockOf = (pfn: number): number => (pfn < SMALL ? pfn >>> BLOCK_BITS : Math.floor(pfn / BLOCK))
/** Also right for greater ones: `&` takes the lower 32 bits of any whole number. */
const placeOf = (pfn: number): number => pfn & (BLOCK - 1)

/** Kinds of array a map may be made of; the highest value of each marks a pfn that was never set. */
type Cells = Uint8Array | Uint32Array | Float64Array
interface CellsOf {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): Cells
}

const unsetOf = (cells: CellsOf): number => (cells === Uint8Array ? 0xff : cells === Uint32Array ? 0xffffffff : -1)

/**
 * A number for each pfn. Memory follows the number of pfns set: one cell each where they lie close together, an
 * entry of a hash table for those far out.
 */
export class PageMap {
  readonly #blocks: (Cells | undefined)[] = []
  readonly #far = new Map<number, number>()
  readonly #cells: CellsOf
  readonly #unset: number
  #size = 0
  #end = 0
  #first = Infinity

  /** @param cells what holds the numbers; 0xff, 0xffffffff and -1 respectively cannot be stored. */
  constructor(cells: CellsOf = Uint8Array) {
    this.#cells = cells
    this.#unset = unsetOf(cells)
  }

  /** Pfns that are set. */
  get size(): number {
    return this.#size
  }

  /** One above the highest pfn set, 0 when there is none. */
  get end(): number {
    return this.#end
  }

  get(pfn: number): number | undefined {
    const value = this.#blocks[blockOf(pfn)]?.[placeOf(pfn)]
    return value === undefined || value === this.#unset ? this.#far.get(pfn) : value
  }

  /** @returns what was there before. */
  set(pfn: number, value: number): number | undefined {
    const before = this.get(pfn)
    if (before === undefined) {
      this.#size++
      if (pfn >= this.#end) this.#end = pfn + 1
      if (pfn < this.#first) this.#first = pfn
    }
    const block = this.#far.has(pfn) ? undefined : (this.#blocks[blockOf(pfn)] ?? this.#newBlock(pfn))
    if (block === undefined) this.#far.set(pfn, value)
    else block[placeOf(pfn)] = value
    return before
  }

  /** Every pfn set, ascending. */
  *entries(): Generator<readonly [pfn: number, value: number], void, void> {
    const far = [...this.#far].sort(([a], [b]) => a - b)
    let next = 0
    for (const [number, block] of this.#blocks.entries()) {
      if (block === undefined) continue
      const start = number * BLOCK
      const end = Math.min(BLOCK, this.#end - start)
      for (let i = Math.max(0, this.#first - start); i < end; i++) {
        const value = block[i] as number
        if (value === this.#unset) continue
        for (let f = far[next]; f !== undefined && f[0] < start + i; f = far[++next]) yield f
        yield [start + i, value]
      }
    }
    yield* far.slice(next)
  }

  #newBlock(pfn: number): Cells | undefined {
    if (pfn >= FIRST_REACH && pfn >= this.#size * REACH) return undefined
    const block = new this.#cells(BLOCK).fill(this.#unset)
    this.#blocks[blockOf(pfn)] = block
    return block
  }
}
