import { PAGE_SIZE } from '@xen-replication/hypervisor'
import type { PageRun } from '../store/host-store.ts'
import { DirtyBits } from './dirty-bits.ts'
import { LentChunks } from './lent-chunks.ts'
import { PfnSet } from './pfn-set.ts'

/** Pages of a chunk: what is allocated at a time, and lies side by side. As many as engines ask for at once. */
export const CHUNK_PAGES = 1024
/** And of one of a small guest that is not stored. */
const SMALL_CHUNK_PAGES = 64 // a power of two, as CHUNK_PAGES is
/** Guests of fewer pages are small. */
const SMALL_PAGES = 2048
/** 32-bit words of a page. */
export const PAGE_WORDS = PAGE_SIZE / 4

/** Where memory is stored. */
export interface RamStore {
  /** Fills `into` with a chunk. @returns false, and leaves it alone, when that never held anything but zeros */
  read(chunk: number, into: Uint8Array): boolean
  /** Stores pages ahead of the rest, while the guest is being built. @returns false once that is over */
  writeAhead(pages: Iterable<PageRun>): boolean
}

interface Chunk {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
}

/** What somebody looks at for a while; it may leave memory once that is over. */
export class Loan {
  readonly chunks = new Set<number>()
}

/**
 * Memory of a guest by pfn. Chunks stay in memory once the guest or its host has used them. Others that are only looked at, or
 * that a builder fills, are there for as long as a loan lasts.
 */
export class Ram {
  readonly dirty = new DirtyBits()
  /** Pages written since they were last stored; kept only for a guest that is stored. */
  readonly changed: PfnSet | undefined
  readonly #chunks: (Chunk | undefined)[] = []
  readonly #lent: LentChunks
  readonly #store: RamStore | undefined
  readonly #chunkPages: number
  /** Low bits of a pfn that say which page of its chunk it is. */
  readonly #mask: number

  /** @param pages as many as there may be at most */
  constructor(store?: RamStore, pages = Infinity) {
    this.#chunkPages = store === undefined && pages < SMALL_PAGES ? SMALL_CHUNK_PAGES : CHUNK_PAGES
    this.#mask = this.#chunkPages - 1
    this.changed = store === undefined ? undefined : new PfnSet()
    this.#store = store
    this.#lent = new LentChunks({ bytes: this.#chunkPages * PAGE_SIZE, read: (chunk, into) => store?.read(chunk, into) ?? false, letGo: (chunk, bytes) => this.#letGo(chunk, bytes) })
  }

  /** The page itself, to be read; who writes to it says so by `touch()`. */
  page(pfn: number): Uint8Array {
    const at = (pfn & this.#mask) * PAGE_SIZE
    return this.#chunk(pfn).bytes.subarray(at, at + PAGE_SIZE)
  }

  words(pfn: number): Uint32Array {
    const at = (pfn & this.#mask) * PAGE_WORDS
    return this.#chunk(pfn).words.subarray(at, at + PAGE_WORDS)
  }

  read32(pfn: number, word: number): number {
    return this.#chunk(pfn).words[(pfn & this.#mask) * PAGE_WORDS + word] as number
  }

  /** A write of the guest. */
  write32(pfn: number, word: number, value: number): void {
    this.#chunk(pfn).words[(pfn & this.#mask) * PAGE_WORDS + word] = value
    this.touch(pfn)
  }

  /** The guest has written to the page. */
  touch(pfn: number): void {
    this.dirty.mark(pfn)
    this.changed?.add(pfn)
  }

  /** Somebody else has: the device model unasked, the hypervisor, a builder. */
  touchUnseen(pfn: number): void {
    this.changed?.add(pfn)
  }

  /** Views of pages, one for each stretch that lies side by side, until the loan is given back. */
  views(pfns: ArrayLike<number>, loan: Loan): Uint8Array[] {
    const views: Uint8Array[] = []
    for (let i = 0; i < pfns.length; ) {
      const first = pfns[i] as number
      const room = this.#chunkPages - (first & this.#mask)
      let count = 1
      while (count < room && pfns[i + count] === first + count) count += 1
      const at = (first & this.#mask) * PAGE_SIZE
      views.push(this.#lend(first, loan).subarray(at, at + count * PAGE_SIZE))
      i += count
    }
    return views
  }

  /** View of a page, until the loan is given back. */
  view(pfn: number, loan: Loan): Uint8Array {
    const at = (pfn & this.#mask) * PAGE_SIZE
    return this.#lend(pfn, loan).subarray(at, at + PAGE_SIZE)
  }

  giveBack({ chunks }: Loan): void {
    for (const chunk of chunks) this.#lent.giveBack(chunk)
    chunks.clear()
  }

  /** The pages that were written since they were last stored, in stretches that lie side by side. */
  *changedRuns(): Generator<PageRun> {
    for (const [start, count] of this.changed?.runs() ?? []) yield* this.#runs(start, count)
  }

  *#runs(start: number, count: number): Generator<PageRun> {
    for (let pfn = start; pfn < start + count; ) {
      const pages = Math.min(start + count - pfn, this.#chunkPages - (pfn & this.#mask))
      const at = (pfn & this.#mask) * PAGE_SIZE
      const bytes = this.#lent.peek(Math.floor(pfn / this.#chunkPages)) ?? this.#chunk(pfn).bytes
      yield [pfn, bytes.subarray(at, at + pages * PAGE_SIZE)]
      pfn += pages
    }
  }

  #lend(pfn: number, { chunks }: Loan): Uint8Array {
    const index = Math.floor(pfn / this.#chunkPages)
    const known = this.#chunks[index]
    if (known !== undefined) return known.bytes
    const lent = chunks.has(index) ? this.#lent.peek(index) : undefined
    if (lent !== undefined) return lent
    chunks.add(index)
    return this.#lent.take(index)
  }

  /** A chunk that differs from what is stored is stored ahead, or stays. */
  #letGo(chunk: number, bytes: Uint8Array): boolean {
    const first = chunk * this.#chunkPages
    const runs = this.changed === undefined ? [[first, this.#chunkPages] as const] : [...this.changed.runsIn(first, this.#chunkPages)]
    if (runs.length === 0) return true
    const pages = runs.map(([start, count]): PageRun => [start, bytes.subarray((start - first) * PAGE_SIZE, (start - first + count) * PAGE_SIZE)])
    if (this.#store?.writeAhead(pages) !== true) {
      this.#keep(chunk, bytes)
      return false
    }
    this.changed?.deleteRun([first, this.#chunkPages])
    return true
  }

  #chunk(pfn: number): Chunk {
    const index = Math.floor(pfn / this.#chunkPages)
    const known = this.#chunks[index]
    if (known !== undefined) return known
    return this.#keep(index, this.#lent.remove(index) ?? this.#read(index))
  }

  #read(index: number): Uint8Array {
    const bytes = new Uint8Array(this.#chunkPages * PAGE_SIZE)
    this.#store?.read(index, bytes)
    return bytes
  }

  #keep(index: number, bytes: Uint8Array): Chunk {
    const chunk = { bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) }
    this.#chunks[index] = chunk
    return chunk
  }
}
