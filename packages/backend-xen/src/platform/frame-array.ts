/** Frame numbers in the form that hypercalls take, filled without making a bigint of each. */
export class FrameArray {
  readonly #low: Uint32Array
  readonly #all: BigUint64Array

  /** @param most frames it holds. */
  constructor(most: number) {
    this.#all = new BigUint64Array(most)
    this.#low = new Uint32Array(this.#all.buffer)
  }

  /** The frames as an array that is valid until the next call. */
  of(frames: ArrayLike<number>): BigUint64Array {
    for (let i = 0; i < frames.length; i++) setFrame(this.#low, i, frames[i] as number)
    return this.#all.subarray(0, frames.length)
  }
}

const HIGH = 2 ** 32

/** Writes a 64-bit word as its two halves. */
export function setFrame(words: Uint32Array, i: number, frame: number): void {
  words[2 * i] = frame
  words[2 * i + 1] = frame < HIGH ? 0 : frame / HIGH
}

/** Reads a 64-bit word; above 2^53 it is rounded. */
export const getFrame = (words: Uint32Array, i: number): number => (words[2 * i] as number) + (words[2 * i + 1] as number) * HIGH
