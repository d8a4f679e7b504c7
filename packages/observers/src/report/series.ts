/** One value at a time. */
export interface Point {
  /** Milliseconds. */
  readonly at: number
  readonly value: number
}

interface Bucket {
  count: number
  least: Point
  most: Point
}

/** Buckets of a series, at most. Each shows as two points: more than a screen has columns. */
const BUCKETS = 600

/**
 * Values over time in bounded memory. When it is full, neighbours are put together; of what is put together the least and the most stay, at
 * their times, so that no peak is ever lost.
 */
export class Series {
  readonly #limit: number
  #buckets: Bucket[] = []
  /** Values of a full bucket. */
  #width = 1

  constructor(limit = BUCKETS) {
    this.#limit = limit
  }

  add(at: number, value: number): void {
    const point = { at, value }
    const last = this.#buckets.at(-1)
    if (last !== undefined && last.count < this.#width) return merge(last, { count: 1, least: point, most: point })
    if (this.#buckets.length === this.#limit) this.#halve()
    this.#buckets.push({ count: 1, least: point, most: point })
  }

  /** In the order of time. */
  points(): readonly Point[] {
    return this.#buckets.flatMap(({ least, most }) => (least.at === most.at ? [least] : least.at < most.at ? [least, most] : [most, least]))
  }

  #halve(): void {
    this.#buckets = this.#buckets.filter((bucket, i) => {
      if (i % 2 === 1) merge(this.#buckets[i - 1] as Bucket, bucket)
      return i % 2 === 0
    })
    this.#width *= 2
  }
}

function merge(into: Bucket, { count, least, most }: Bucket): void {
  into.count += count
  if (least.value < into.least.value) into.least = least
  if (most.value > into.most.value) into.most = most
}
