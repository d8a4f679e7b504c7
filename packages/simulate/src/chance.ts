import { hash32, nextRandom, seedRng } from '@xen-replication/backend-mock'

/** All chance of a run: the same seed gives the same. */
export class Chance {
  readonly #seed: number
  readonly #state = new Uint32Array(4)
  #forks = 0

  constructor(seed: number) {
    this.#seed = seed
    seedRng(this.#state, 0, seed)
  }

  /** From 0 up to 1, not included. */
  real(): number {
    return nextRandom(this.#state, 0) / 2 ** 32
  }

  /** From `least` up to `most`, not included, with fractions. */
  between(least: number, most: number): number {
    return least + this.real() * (most - least)
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.real() * (most - least + 1))
  }

  /** True so often, of one. */
  of(share: number): boolean {
    return this.real() < share
  }

  pick<T>(list: readonly [T, ...T[]]): T
  pick<T>(list: readonly T[]): T | undefined
  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.real() * list.length)]
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.whole(0, 255))
  }

  /** Chance of its own for a part of the run, which then does not depend on what other parts draw. */
  fork(): Chance {
    this.#forks += 1
    return new Chance(hash32(this.#seed, this.#forks))
  }
}
