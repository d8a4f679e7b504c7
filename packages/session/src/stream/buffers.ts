/** Buffers that are kept for the next one who needs memory. */
const KEPT_MOST = 12
/** Smallest one, in bytes; others are twice as large, again and again. */
const LEAST = 64 * 1024

/**
 * Memory for batches, used again and again: memory that a process has never touched is many times slower than memory that it has, and what is thrown
 * away has the garbage collector stop everything, a mebibyte at a time.
 */
export class Buffers {
  readonly #free: Uint8Array[] = []

  /** So many bytes; what was in them is still there. */
  take(size: number): Uint8Array {
    const at = this.#free.findIndex((one) => one.length >= size)
    const found = at < 0 ? undefined : this.#free.splice(at, 1)[0]
    return (found ?? new Uint8Array(2 ** Math.ceil(Math.log2(Math.max(size, LEAST))))).subarray(0, size)
  }

  /** Nobody looks at these bytes any more, nor at others in the same memory. */
  give({ buffer }: Uint8Array): void {
    if (buffer.byteLength < LEAST || this.#free.some((one) => one.buffer === buffer)) return
    if (this.#free.length === KEPT_MOST) this.#free.shift()
    this.#free.push(new Uint8Array(buffer))
  }
}
