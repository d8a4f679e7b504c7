import { PageMap } from './page-map.ts'

/** Runs kept at most; what comes when there are so many goes into the map. */
const RUNS_MAX = 1 << 16
/** Marks a pfn that no run has. */
const NOTHING = -1

/**
 * A small number (0 to 254) for each pfn, for streams that first name all pfns in ascending order, as every saver does: that first pass takes
 * a few numbers for each run of pfns with the same value, and what is said again later takes an entry of a map.
 */
export class RunMap {
  /** First pfn of each run, one above its last, its value: ascending and apart. */
  readonly #from: number[] = []
  readonly #to: number[] = []
  readonly #value: number[] = []
  readonly #later = new PageMap()
  /** Pfns that were in no run when they came. */
  #outside = 0
  #inside = 0

  /** Pfns that are set. */
  get size(): number {
    return this.#inside + this.#outside
  }

  /** One above the highest pfn set, 0 when there is none. */
  get end(): number {
    return Math.max(this.#to.at(-1) ?? 0, this.#later.end)
  }

  /** Sets `count` pfns from `pfn` on when they lie above all that are set. @returns false when they do not; nothing is set then. */
  append(pfn: number, count: number, value: number): boolean {
    const last = this.#to.length - 1
    if (pfn < this.end) return false
    if (this.#to[last] === pfn && this.#value[last] === value) {
      this.#to[last] = pfn + count
    } else {
      if (last + 1 >= RUNS_MAX) return false
      this.#from.push(pfn)
      this.#to.push(pfn + count)
      this.#value.push(value)
    }
    this.#inside += count
    return true
  }

  /** @returns what was there before. */
  set(pfn: number, value: number): number | undefined {
    const first = this.#inRuns(pfn)
    const before = this.#later.set(pfn, value)
    if (before !== undefined) return before
    if (first !== NOTHING) return first
    this.#outside++
    return undefined
  }

  #inRuns(pfn: number): number {
    let low = 0
    let high = this.#to.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#to[middle] as number) <= pfn) low = middle + 1
      else high = middle
    }
    const from = this.#from[low]
    return from !== undefined && from <= pfn ? (this.#value[low] as number) : NOTHING
  }
}
