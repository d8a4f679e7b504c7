import { viewOf } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'
import { PACKED_PAGE_MOST, PAGE_BYTES } from './page-delta.ts'
import type { PagePacker, PageUnpacker } from './page-packer.ts'
import type { Memory } from './zero-runs.ts'

/** Before each item: u32 bytes that go as they are, u16 packed pages behind them. */
const ITEM = 6
/** Before each packed page: its key, little endian. */
const KEY = 6
const KEY_HIGH = 2 ** 32
/** Pfns that fit a key: 16 PiB of memory. */
const PFNS = 2 ** 42
/** Guests that fit a key. */
const MEMBERS = 64

/** Tells a page of one guest from those of others; undefined where it cannot be told, and the page goes as it is. */
export function pageKey(member: number, pfn: number): number | undefined {
  return pfn >= 0 && pfn < PFNS && member < MEMBERS ? pfn + PFNS * member : undefined
}

/** One batch of bytes and packed pages, as it is written: bytes and pages by turns, in items. */
export class PageBatch {
  readonly #packer: PagePacker
  readonly #most: number
  #out: Uint8Array
  #fill = 0
  #item = -1
  #literal = 0
  #pages = 0
  #length = 0

  /** @param out takes the batch. @param most bytes of the stream that it may stand for. */
  constructor(packer: PagePacker, out: Uint8Array, most: number) {
    this.#packer = packer
    this.#out = out
    this.#most = most
  }

  /** Bytes of the stream in it. */
  get length(): number {
    return this.#length
  }

  /** What was written of it. */
  get payload(): Uint8Array {
    this.#close()
    return this.#out.subarray(0, this.#fill)
  }

  /** Begins another one. */
  reset(out: Uint8Array, most: number): PageBatch {
    return new PageBatch(this.#packer, out, most)
  }

  /** Takes bytes as they are. @returns how many of them there was room for */
  add(bytes: Uint8Array): number {
    if (this.#item < 0 || this.#pages > 0) {
      if (this.#fill + ITEM >= this.#out.length) return 0
      this.#open()
    }
    const taken = Math.min(bytes.length, this.#most - this.#length, this.#out.length - this.#fill)
    this.#out.set(taken === bytes.length ? bytes : bytes.subarray(0, taken), this.#fill)
    this.#fill += taken
    this.#literal += taken
    this.#length += taken
    return taken
  }

  /** Takes a page. @returns whether there was room for it */
  addPage(key: number, page: Uint8Array): boolean {
    if (this.#length + PAGE_BYTES > this.#most || this.#fill + ITEM + KEY + PACKED_PAGE_MOST > this.#out.length) return false
    if (this.#item < 0 || this.#pages === 0xffff) this.#open()
    const out = this.#out
    const low = key % KEY_HIGH
    const high = (key - low) / KEY_HIGH
    out[this.#fill] = low
    out[this.#fill + 1] = low >>> 8
    out[this.#fill + 2] = low >>> 16
    out[this.#fill + 3] = low >>> 24
    out[this.#fill + 4] = high
    out[this.#fill + 5] = high >>> 8
    this.#fill = this.#packer.packPage(key, page, out, this.#fill + KEY)
    this.#pages += 1
    this.#length += PAGE_BYTES
    return true
  }

  #open(): void {
    this.#close()
    this.#item = this.#fill
    this.#fill += ITEM
    this.#literal = 0
    this.#pages = 0
  }

  #close(): void {
    if (this.#item < 0) return
    const view = viewOf(this.#out)
    view.setUint32(this.#item, this.#literal, true)
    view.setUint16(this.#item + 4, this.#pages, true)
  }
}

/**
 * The bytes of the stream in a batch.
 *
 * @param length bytes that have to come out, which the caller has found to be allowed.
 * @throws SessionError SESSION_DAMAGED; the session cannot go on then
 */
export function unpackPages(packed: Uint8Array, length: number, unpacker: PageUnpacker, memory: Memory): Uint8Array {
  const out = memory(length)
  const view = viewOf(packed)
  let from = 0
  let at = 0
  while (from < packed.length) {
    if (from + ITEM > packed.length) throw damaged('they end within an item')
    const [literal, pages] = [view.getUint32(from, true), view.getUint16(from + 4, true)]
    from += ITEM
    if (from + literal > packed.length || at + literal + pages * PAGE_BYTES > length) throw damaged('an item does not fit its batch')
    out.set(packed.subarray(from, from + literal), at)
    from += literal
    at += literal
    for (let i = 0; i < pages; i += 1) {
      if (from + KEY > packed.length) throw damaged('they end within a key')
      const key = view.getUint32(from, true) + KEY_HIGH * view.getUint16(from + 4, true)
      from = unpacker.unpackPage(key, packed, from + KEY, out.subarray(at, at + PAGE_BYTES))
      at += PAGE_BYTES
    }
  }
  if (at !== length) throw damaged(`${at} bytes came out where ${length} are wanted`)
  return out
}

const damaged = (why: string): SessionError => new SessionError('SESSION_DAMAGED', `packed pages were changed on their way: ${why}`)
