/** Something that is to happen; `run` is undefined when it was called off. */
interface Entry {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Takes back what was planned. */
export type CallOff = () => void

/** Time that goes on only from one thing that happens to the next: by time, and then in the order in which they were planned. */
export class VirtualTime {
  /** A binary heap, the next entry first. */
  readonly #heap: Entry[] = []
  #now = 0
  #order = 0

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now
  }

  /** Has something happen in `ms` milliseconds. */
  after(ms: number, run: () => void): CallOff {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), run }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return () => (entry.run = undefined)
  }

  /** Lets the next thing happen. @returns whether there was one. */
  step(): boolean {
    for (;;) {
      const next = this.#take()
      if (next === undefined) return false
      if (next.run === undefined) continue
      this.#now = next.at
      next.run()
      return true
    }
  }

  #take(): Entry | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    this.#heap[0] = last
    this.#sink()
    return first
  }

  #rise(from: number): void {
    for (let i = from; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!this.#swapIfBefore(i, parent)) return
      i = parent
    }
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const left = 2 * i + 1
      if (left >= this.#heap.length) return
      const child = left + 1 < this.#heap.length && isBefore(this.#entry(left + 1), this.#entry(left)) ? left + 1 : left
      if (!this.#swapIfBefore(child, i)) return
      i = child
    }
  }

  #swapIfBefore(i: number, parent: number): boolean {
    const [one, other] = [this.#entry(i), this.#entry(parent)]
    if (!isBefore(one, other)) return false
    this.#heap[i] = other
    this.#heap[parent] = one
    return true
  }

  #entry(i: number): Entry {
    return this.#heap[i] as Entry
  }
}

const isBefore = (one: Entry, other: Entry): boolean => one.at < other.at || (one.at === other.at && one.order < other.order)

/** Things that happen between two looks at the queue of the machine. */
const BURST = 16

/**
 * Lets time go on until `isOver()`, or nothing is left to happen. All promises are settled before the next thing happens: Node runs them between two
 * callbacks of `setImmediate`, which takes no time and nobody else uses here.
 *
 * @throws what something that happens throws
 */
export function letRun(time: VirtualTime, isOver: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false
    const end = (how: () => void): void => {
      over = true
      how()
    }
    const step = (): void => {
      if (over) return
      try {
        if (isOver() || !time.step()) end(resolve)
      } catch (error) {
        end(() => reject(error instanceof Error ? error : new Error(String(error))))
      }
    }
    const burst = (): void => {
      step()
      if (over) return
      for (let i = 1; i < BURST; i += 1) setImmediate(step)
      setImmediate(burst)
    }
    setImmediate(burst)
  })
}
