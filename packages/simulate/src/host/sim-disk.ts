/** A write that a guest has made. */
export interface Write {
  readonly block: number
  readonly number: number
}

/**
 * The guest's disk, which both hosts reach: writes of an epoch go into a journal when it ends, and count when the epoch does. Whoever takes over the
 * guest gets the disk as of the epoch that its memory is of.
 */
export class SimDisk {
  readonly #journal = new Map<number, { readonly writes: readonly Write[]; whole: boolean }>()
  #journalled = 0

  /** Begins to write down an epoch. @returns how to end; until then the entry is torn */
  begin(epoch: number, held: readonly Write[]): () => void {
    const writes = held.filter(({ number }) => number > this.#journalled)
    const entry = { writes, whole: false }
    this.#journalled = writes.at(-1)?.number ?? this.#journalled
    this.#journal.set(epoch, entry)
    return () => (entry.whole = true)
  }

  /** Number of the last write on the disk of that epoch; writes from before the first epoch were never held. @returns undefined when an entry is torn or missing */
  lastOf(epoch: number, before: number): number | undefined {
    let last = before
    for (let one = 0; one <= epoch; one += 1) {
      const entry = this.#journal.get(one)
      if (entry?.whole !== true) return undefined
      last = entry.writes.at(-1)?.number ?? last
    }
    return last
  }
}
