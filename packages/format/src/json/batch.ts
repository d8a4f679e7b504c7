const FIRST_SIZE = 64 * 1024

/** Bytes that are gathered until there are enough of them to hand on. Its memory is used again. */
export class Batch {
  #bytes = new Uint8Array(FIRST_SIZE)
  #size = 0

  /** Bytes gathered since the last `take()`. */
  get size(): number {
    return this.#size
  }

  add(bytes: Uint8Array): void {
    this.fill(bytes.length, (into, at) => into.set(bytes, at))
  }

  /** Lets `write` put exactly `size` bytes at `at` of `into`. */
  fill(size: number, write: (into: Uint8Array, at: number) => void): void {
    const at = this.#size
    if (at + size > this.#bytes.length) this.#grow(at + size)
    write(this.#bytes, at)
    this.#size = at + size
  }

  /** What was gathered; valid until something is added. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#size)
    this.#size = 0
    return bytes
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = bytes
  }
}
