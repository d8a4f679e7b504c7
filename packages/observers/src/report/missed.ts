/** Counts checkpoints that were due and did not begin: with an interval of 25 ms, one that begins 60 ms after the last has left out one. */
export class Missed {
  readonly #intervalMs: number
  #before: number | undefined
  #count = 0
  #begun = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** @returns time since the last one began, in milliseconds; undefined for the first */
  began(at: number): number | undefined {
    const since = this.#before === undefined ? undefined : at - this.#before
    this.#before = at
    this.#begun += 1
    if (since !== undefined) this.#count += Math.max(0, Math.round(since / this.#intervalMs) - 1)
    return since
  }

  /** Epochs that did not begin when they were due. */
  get count(): number {
    return this.#count
  }

  /** Part of all that were due, 0 to 1. */
  get share(): number {
    return this.#begun === 0 ? 0 : this.#count / (this.#count + this.#begun)
  }
}
