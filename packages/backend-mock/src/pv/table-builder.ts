import type { PvSpace } from '../memory/pv-space.ts'
import type { Ram } from '../memory/ram.ts'
import { TABLE, PTE, highOf, indexAt, lowOf } from './pte.ts'

/** Writes page tables into a guest's memory while nobody checks them yet. */
export class TableBuilder {
  readonly levels: 3 | 4
  readonly top: number
  readonly #ram: Ram
  readonly #space: PvSpace
  readonly #take: () => number
  /** Tables made so far, by level and first page number they cover. */
  readonly #tables = new Map<string, number>()

  /** @param take gives the pfn of a page that may become a table. */
  constructor({ ram, space, levels, take }: { readonly ram: Ram; readonly space: PvSpace; readonly levels: 3 | 4; readonly take: () => number }) {
    this.#ram = ram
    this.#space = space
    this.#take = take
    this.levels = levels
    this.top = take()
  }

  /** Makes a page the L1 table for page numbers from `page` on. */
  adopt(page: number, l1: number): void {
    this.#tables.set(key(1, page), l1)
    this.#link(2, page, l1)
  }

  /** Maps a page. */
  map(page: number, mfn: number, flags: number): void {
    this.#set(this.table(1, page), indexAt(1, page), mfn, flags)
  }

  /** The table of `level` that covers a page number; it is made where there is none. */
  table(level: number, page: number): number {
    if (level === this.levels) return this.top
    const known = this.#tables.get(key(level, page))
    if (known !== undefined) return known
    const pfn = this.#take()
    this.#tables.set(key(level, page), pfn)
    this.#link(level + 1, page, pfn)
    return pfn
  }

  #link(level: number, page: number, table: number): void {
    const topOf32 = this.levels === 3 && level === 3
    this.#set(this.table(level, page), indexAt(level, page), this.#space.mfn(table), topOf32 ? PTE.PRESENT : TABLE)
  }

  #set(table: number, index: number, mfn: number, flags: number): void {
    this.#ram.write32(table, index * 2, lowOf(mfn, flags))
    this.#ram.write32(table, index * 2 + 1, highOf(mfn))
  }
}

const key = (level: number, page: number): string => `${level}:${Math.floor(page / 512 ** level)}`
