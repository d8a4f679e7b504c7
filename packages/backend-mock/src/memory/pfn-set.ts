/** Runs of consecutive numbers: first and how many. */
export type Run = readonly [start: number, count: number]

/** A set of page numbers, a bit each; bit n of byte n/8 is page n. */
export class PfnSet {
  #bits = new Uint8Array(0)
  #size = 0

  /** How many are in. */
  get size(): number {
    return this.#size
  }

  has(pfn: number): boolean {
    return (((this.#bits[pfn >>> 3] ?? 0) >> (pfn & 7)) & 1) === 1
  }

  add(pfn: number): void {
    const at = pfn >>> 3
    if (at >= this.#bits.length) this.#grow(at + 1)
    const byte = this.#bits[at] as number
    const bit = 1 << (pfn & 7)
    if ((byte & bit) !== 0) return
    this.#bits[at] = byte | bit
    this.#size += 1
  }

  addRun([start, count]: Run): void {
    for (let pfn = start; pfn < start + count; pfn += 1) this.add(pfn)
  }

  deleteRun([start, count]: Run): void {
    for (let pfn = start; pfn < start + count; pfn += 1) {
      if (!this.has(pfn)) continue
      const at = pfn >>> 3
      this.#bits[at] = (this.#bits[at] as number) & ~(1 << (pfn & 7))
      this.#size -= 1
    }
  }

  clear(): void {
    if (this.#size > 0) this.#bits.fill(0)
    this.#size = 0
  }

  /** One above the highest; 0 when empty. */
  get top(): number {
    let at = this.#bits.length - 1
    while (at >= 0 && this.#bits[at] === 0) at -= 1
    return at < 0 ? 0 : at * 8 + 32 - Math.clz32(this.#bits[at] as number)
  }

  /** All of them, ascending. */
  runs(): Generator<Run> {
    return this.runsIn(0, this.top)
  }

  /** Those of `count` from `first` on, ascending. */
  *runsIn(first: number, count: number): Generator<Run> {
    const end = first + count
    let start = -1
    for (let pfn = first; pfn < end; pfn += 1) {
      if (start < 0 && pfn % 8 === 0) while (pfn < end && (this.#bits[pfn >>> 3] ?? 0) === 0) pfn += 8
      if (pfn < end && this.has(pfn)) {
        if (start < 0) start = pfn
      } else if (start >= 0) {
        yield [start, pfn - start]
        start = -1
      }
    }
    if (start >= 0) yield [start, end - start]
  }

  /**
   * A bitmap of `pages` bits, cut or filled up with zeros.
   *
   * @param into where to put it when it is large enough.
   */
  bitmap(pages: number, into?: Uint8Array): Uint8Array {
    const length = Math.ceil(pages / 8)
    const out = into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
    const known = Math.min(length, this.#bits.length)
    out.set(this.#bits.subarray(0, known))
    out.fill(0, known)
    if (pages % 8 !== 0 && length > 0) out[length - 1] = (out[length - 1] as number) & ((1 << (pages % 8)) - 1)
    return out
  }

  #grow(bytes: number): void {
    const bits = new Uint8Array(Math.max(bytes, this.#bits.length * 2, 1024))
    bits.set(this.#bits)
    this.#bits = bits
  }
}
