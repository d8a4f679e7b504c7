import { PAGE_SIZE } from '@xen-replication/hypervisor'
import { DirtyBits } from './dirty-bits.ts'
import { PfnSet } from './pfn-set.ts'

/** Pages of a chunk: what is allocated at a time, and lies side by side. As many as engines ask for at once. */
export const CHUNK_PAGES = 1024
const CHUNK_BYTES = CHUNK_PAGES * PAGE_SIZE
/** 32-bit words of a page. */
export const PAGE_WORDS = PAGE_SIZE / 4

/** Where chunks come from that were stored before; undefined for one that never held anything but zeros. */
export type ChunkSource = (chunk: number) => Uint8Array | undefined

interface Chunk {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
}

/**
 * Memory of a guest by pfn. Costs nothing until a page is touched: chunks are made of zeros that the operating system has not
 * given yet, or read from a file.
 */
export class Ram {
  readonly dirty = new DirtyBits()
  /** Pages written since they were last stored; kept only for a guest that is stored. */
  readonly changed: PfnSet | undefined
  readonly #chunks: (Chunk | undefined)[] = []
  readonly #source: ChunkSource

  constructor(source?: ChunkSource) {
    this.changed = source === undefined ? undefined : new PfnSet()
    this.#source = source ?? (() => undefined)
  }

  /** The page itself, to be read; who writes to it says so by `touch()`. */
  page(pfn: number): Uint8Array {
    const at = (pfn % CHUNK_PAGES) * PAGE_SIZE
    return this.#chunk(pfn).bytes.subarray(at, at + PAGE_SIZE)
  }

  words(pfn: number): Uint32Array {
    const at = (pfn % CHUNK_PAGES) * PAGE_WORDS
    return this.#chunk(pfn).words.subarray(at, at + PAGE_WORDS)
  }

  read32(pfn: number, word: number): number {
    return this.#chunk(pfn).words[(pfn % CHUNK_PAGES) * PAGE_WORDS + word] as number
  }

  /** A write of the guest. */
  write32(pfn: number, word: number, value: number): void {
    this.#chunk(pfn).words[(pfn % CHUNK_PAGES) * PAGE_WORDS + word] = value
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

  /** Views of pages, one for each stretch that lies side by side. */
  views(pfns: ArrayLike<number>): Uint8Array[] {
    const views: Uint8Array[] = []
    for (let i = 0; i < pfns.length; ) {
      const first = pfns[i] as number
      const room = CHUNK_PAGES - (first % CHUNK_PAGES)
      let count = 1
      while (count < room && pfns[i + count] === first + count) count += 1
      const at = (first % CHUNK_PAGES) * PAGE_SIZE
      views.push(this.#chunk(first).bytes.subarray(at, at + count * PAGE_SIZE))
      i += count
    }
    return views
  }

  /** The pages that were written since they were last stored, in stretches that lie side by side. */
  *changedRuns(): Generator<readonly [pfn: number, bytes: Uint8Array]> {
    for (const [start, count] of this.changed?.runs() ?? []) {
      for (let pfn = start; pfn < start + count; ) {
        const pages = Math.min(start + count - pfn, CHUNK_PAGES - (pfn % CHUNK_PAGES))
        const at = (pfn % CHUNK_PAGES) * PAGE_SIZE
        yield [pfn, this.#chunk(pfn).bytes.subarray(at, at + pages * PAGE_SIZE)]
        pfn += pages
      }
    }
  }

  #chunk(pfn: number): Chunk {
    const index = Math.floor(pfn / CHUNK_PAGES)
    const known = this.#chunks[index]
    if (known !== undefined) return known
    const bytes = this.#source(index) ?? new Uint8Array(CHUNK_BYTES)
    const chunk = { bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, CHUNK_BYTES / 4) }
    this.#chunks[index] = chunk
    return chunk
  }
}
