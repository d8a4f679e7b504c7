import { PAGE_SIZE } from '../bytes/limits.ts'
import { FormatError } from '../format-error.ts'
import type { Body } from '../image/body.ts'
import { hasContent } from '../libxc/page-data.ts'
import { applyDelta, type Delta } from './compression.ts'
import type { LegacyEntries } from './entries.ts'
import { LegacyError } from './legacy-error.ts'
import type { PageStore } from './page-store.ts'
import { refuseCut } from './steps.ts'

/** A batch with the contents that came for it, in the order of its entries. */
export interface FilledBatch {
  readonly entries: LegacyEntries
  readonly pages: readonly Uint8Array[]
}

/** Entries waiting for contents, at most; as much as a 16 GiB guest sends at once. */
const PENDING_MAX = 1 << 22
/** What a batch weighs beside its entries. */
const BATCH_WEIGHT = 64
const PIECE = 64 * 1024
const NOTHING = new Uint8Array(0)

/**
 * Brings announced batches and the run of compressed pages together. A chunk of compressed data may hold pages of several
 * batches, and a page may lie in two chunks.
 */
export class CompressedPages {
  readonly #store: PageStore
  readonly #pendingMax: number
  readonly #waiting = new Set<{ readonly entries: LegacyEntries; readonly pages: Uint8Array[]; next: number }>()
  #pending = 0
  #window: Uint8Array = NOTHING
  #at = 0

  constructor(store: PageStore, pendingMax: number = PENDING_MAX) {
    this.#store = store
    this.#pendingMax = pendingMax
  }

  /** A batch whose contents come compressed. */
  announce(entries: LegacyEntries, offset: number): void {
    this.#pending += entries.count + BATCH_WEIGHT
    if (this.#pending > this.#pendingMax) throw new LegacyError('LG_COMPRESSED_PENDING', offset)
    this.#waiting.add({ entries, pages: [], next: 0 })
  }

  /** The batches that are complete, in order; each is given once. */
  *complete(): Generator<FilledBatch, void, void> {
    for (const batch of this.#waiting) {
      if (batch.pages.length < batch.entries.contents) return
      this.#waiting.delete(batch)
      this.#pending -= batch.entries.count + BATCH_WEIGHT
      yield batch
    }
  }

  /**
   * Takes a chunk of compressed data.
   *
   * @throws LegacyError LG_COMPRESSED_PAGE | LG_COMPRESSED_COUNT | LG_COMPRESSED_BASE
   */
  async *feed(data: Body): AsyncGenerator<FilledBatch, void, void> {
    do yield* this.complete()
    while (await this.#nextPage(data))
    refuseCut(data)
  }

  /** The end of the chunks: nothing may be left. Data without a batch to go to was refused before. */
  finish(offset: number): void {
    if (this.#waiting.size > 0) throw new LegacyError('LG_COMPRESSED_COUNT', offset, 'announced pages did not come')
  }

  /** @returns false when the data is used up. */
  async #nextPage(data: Body): Promise<boolean> {
    if (this.#at === this.#window.length && !(await this.#refill(data))) return false
    const offset = data.offset + data.length - data.left - (this.#window.length - this.#at)
    const [batch] = this.#waiting
    if (batch === undefined) throw new LegacyError('LG_COMPRESSED_COUNT', offset, 'more pages than were announced')
    while (!hasContent(batch.entries.type(batch.next))) batch.next++
    const pfn = batch.entries.pfn(batch.next)
    const page = await this.#decode(data, pfn, offset)
    if (page === undefined) return false
    batch.next++
    batch.pages.push(page)
    await this.#store.set(pfn, page)
    return true
  }

  async #decode(data: Body, pfn: number, offset: number): Promise<Uint8Array | undefined> {
    const old = await this.#store.get(pfn)
    const page = old === undefined ? new Uint8Array(PAGE_SIZE) : new Uint8Array(old)
    let delta = this.#apply(page, offset)
    while (delta === undefined) {
      if (!(await this.#refill(data))) return undefined
      delta = this.#apply(page, offset)
    }
    if (delta.kept > 0 && old === undefined) throw new LegacyError('LG_COMPRESSED_BASE', offset, `pfn ${pfn}`)
    this.#at = delta.next
    return page
  }

  #apply(page: Uint8Array, offset: number): Delta | undefined {
    try {
      return applyDelta(this.#window, this.#at, page)
    } catch (error) {
      throw new LegacyError('LG_COMPRESSED_PAGE', offset, (error as FormatError).message)
    }
  }

  async #refill(data: Body): Promise<boolean> {
    const piece = await data.some(PIECE)
    if (piece === undefined) return false
    const rest = this.#window.subarray(this.#at)
    const window = new Uint8Array(rest.length + piece.length)
    window.set(rest)
    window.set(piece, rest.length)
    this.#window = window
    this.#at = 0
    return true
  }
}
