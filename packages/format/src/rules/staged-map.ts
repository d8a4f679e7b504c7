/** What a staged map is made over. */
interface Keyed<V> {
  get(key: number): V | undefined
  set(key: number, value: V): unknown
  entries(): Iterable<readonly [key: number, value: V]>
}

/** A map for a receiver that buffers: what is set after `keep()` can be taken back. */
export class StagedMap<V> {
  readonly #kept: Keyed<V>
  /** Undefined until the first `keep()`: nothing can be taken back before. */
  #staged: Map<number, V> | undefined
  #size = 0
  #keptSize = 0

  /** @param kept empty; belongs to this map from now on. */
  constructor(kept: Keyed<V> = new Map<number, V>()) {
    this.#kept = kept
  }

  get size(): number {
    return this.#size
  }

  get(key: number): V | undefined {
    return this.#staged?.get(key) ?? this.#kept.get(key)
  }

  set(key: number, value: V): void {
    if (this.get(key) === undefined) this.#size++
    const target = this.#staged ?? this.#kept
    target.set(key, value)
  }

  /** From here on settings can be taken back. */
  keep(): void {
    for (const [key, value] of this.#staged ?? []) this.#kept.set(key, value)
    this.#staged = new Map()
    this.#keptSize = this.#size
  }

  /** Takes back what was set since the last `keep()`, which there was. */
  drop(): void {
    this.#staged = new Map()
    this.#size = this.#keptSize
  }

  /** What is kept. */
  entries(): Iterable<readonly [key: number, value: V]> {
    return this.#kept.entries()
  }
}
