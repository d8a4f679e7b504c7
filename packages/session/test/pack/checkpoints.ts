import { paddingOf, recordHead, XC } from '@xen-replication/format'

const PAGE = 4096
const WORDS = PAGE / 4
/** Types of entries: an ordinary page, a page table, one without content. */
const NORMAL = 0
const TABLE = 1
const HOLE = 15

/** Memory of a guest that writes to some of its pages by chance, and its checkpoints as records. */
export class Memory {
  readonly #words: Uint32Array
  readonly #pages: number
  #x: number

  constructor(pages: number, seed: number) {
    this.#pages = pages
    this.#x = seed
    this.#words = Uint32Array.from({ length: pages * WORDS }, () => this.#random())
    this.#words.fill(0, 0, 2 * WORDS)
  }

  /** What stands before the first checkpoint: bytes that nobody looks at. */
  first(): Uint8Array {
    return Uint8Array.from({ length: 10_000 }, () => this.#random())
  }

  /** Writes so many words of every page, and puts all of them in records of several kinds, as a checkpoint of a guest has them. */
  checkpoint(words: number): Uint8Array {
    for (let page = 2; page < this.#pages; page += 1) for (let i = 0; i < words; i += 1) this.#words[page * WORDS + (words < WORDS / 2 ? this.#random() % WORDS : i)] = this.#random()
    const half = this.#pages >> 1
    return Buffer.concat([
      record(0x0b, new Uint8Array(20)), this.#data(0, half), this.#data(half, this.#pages), record(0x02, this.first().subarray(0, 13)), record(XC.CHECKPOINT, new Uint8Array(0)),
      record(XC.PAGE_DATA, new Uint8Array(40)), record(4, new Uint8Array(0)),
    ])
  }

  #data(from: number, to: number): Uint8Array {
    const pfns = Array.from({ length: to - from }, (_, i) => from + i)
    const front = new DataView(new ArrayBuffer(8 + 8 * (pfns.length + 1)))
    front.setUint32(0, pfns.length + 1, true)
    pfns.forEach((pfn, i) => front.setBigUint64(8 + 8 * i, BigInt(pfn) | (BigInt(pfn % 5 === 0 ? TABLE : NORMAL) << 60n), true))
    front.setBigUint64(8 + 8 * pfns.length, 0x1234n | (BigInt(HOLE) << 60n), true)
    return record(XC.PAGE_DATA, new Uint8Array(front.buffer), new Uint8Array(this.#words.buffer, from * PAGE, (to - from) * PAGE))
  }

  #random(): number {
    this.#x ^= this.#x << 13
    this.#x ^= this.#x >>> 17
    this.#x ^= this.#x << 5
    return this.#x >>> 0
  }
}

function record(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([recordHead(type, length), ...body, new Uint8Array(paddingOf(length))])
}
