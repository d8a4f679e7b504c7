/** A list of which only the beginning is kept; `total` counts all. */
export interface BoundedList<T> {
  readonly total: number
  readonly list: readonly T[]
}

/** Collects a bounded list. */
export class Collector<T> {
  readonly #limit: number
  readonly #list: T[] = []
  #total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(item: T): void {
    this.#total++
    if (this.#list.length < this.#limit) this.#list.push(item)
  }

  get all(): BoundedList<T> {
    return { total: this.#total, list: this.#list }
  }
}
