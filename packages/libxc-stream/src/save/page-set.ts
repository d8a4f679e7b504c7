/** A set of page numbers below a bound: one bit each, pfn n being bit n%8 of byte n/8. */
export class PageSet {
  readonly size: number
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array

  constructor(size: number) {
    this.size = size
    this.#words = new Uint32Array(Math.ceil(size / 32))
    this.#bytes = new Uint8Array(this.#words.buffer)
  }

  has(pfn: number): boolean {
    return ((this.#words[Math.floor(pfn / 32)] as number) & (1 << (pfn & 31))) !== 0
  }

  add(pfn: number): void {
    const at = Math.floor(pfn / 32)
    this.#words[at] = (this.#words[at] as number) | (1 << (pfn & 31))
  }

  delete(pfn: number): void {
    const at = Math.floor(pfn / 32)
    this.#words[at] = (this.#words[at] as number) & ~(1 << (pfn & 31))
  }

  clear(): void {
    this.#words.fill(0)
  }

  fill(): void {
    this.#words.fill(0xffff_ffff)
    this.#trim()
  }

  /** Becomes what a bitmap of at least `size` bits says; bits beyond are not looked at. */
  assign(bitmap: Uint8Array): void {
    this.#bytes.fill(0)
    this.#bytes.set(bitmap.subarray(0, Math.ceil(this.size / 8)))
    this.#trim()
  }

  /** Takes in all of another set of the same size. */
  merge(other: PageSet): void {
    const words = other.#words
    for (let i = 0; i < words.length; i++) this.#words[i] = (this.#words[i] as number) | (words[i] as number)
  }

  /** Walks upwards; not to be changed on the way. */
  walk(): PageWalk {
    return new PageWalk(this.#words)
  }

  #trim(): void {
    const used = this.size & 31
    const last = this.#words.length - 1
    if (used !== 0) this.#words[last] = (this.#words[last] as number) & ((1 << used) - 1)
  }
}

/** A word of which every bit is set. */
const ALL = 0xffff_ffff

/** A way through a set, a batch at a time. */
class PageWalk {
  readonly #words: Uint32Array
  #at = -1
  #left = 0

  constructor(words: Uint32Array) {
    this.#words = words
  }

  /** Puts the next pfns into `batch`. @returns how many; 0 at the end. */
  next(batch: Float64Array | Uint32Array): number {
    const words = this.#words
    let count = 0
    while (count < batch.length) {
      while (this.#left === 0) {
        if (this.#at + 1 >= words.length) return count
        this.#left = words[++this.#at] as number
        if (this.#left !== ALL || count + 32 > batch.length) continue
        for (let pfn = this.#at * 32, end = pfn + 32; pfn < end; pfn++) batch[count++] = pfn
        this.#left = 0
        if (count === batch.length) return count
      }
      batch[count++] = this.#at * 32 + 31 - Math.clz32(this.#left & -this.#left)
      this.#left &= this.#left - 1
    }
    return count
  }
}
