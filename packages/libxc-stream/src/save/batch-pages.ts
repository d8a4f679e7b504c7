import { hasContent, PAGE_SIZE, tableLevel } from '@xen-replication/format'
import type { MappedFrames } from '@xen-replication/hypervisor'
import { TABLE_WORDS, type TableFault } from '../pv/page-table.ts'

/** Translates the table at a word; see GuestShape. */
type Normalise = (words: Uint32Array, at: number, level: number) => TableFault | undefined

/**
 * The pages of one batch, in pieces that can be written: as they are mapped, except page tables, which are copied into memory
 * that is used again for the next batch, and translated there.
 */
export class BatchPages {
  readonly #normalise: Normalise
  #words = new Uint32Array(0)
  #tables = new Uint8Array(0)

  constructor(normalise: Normalise) {
    this.#normalise = normalise
  }

  /**
   * @param types of the batch's entries; `mapped` holds those with content, in their order.
   * @param postpone is told of an entry whose table cannot be translated, and sets its type to one without content, or throws.
   */
  pieces(types: Uint8Array, mapped: MappedFrames, postpone: (entry: number, fault: TableFault) => void): readonly Uint8Array[] {
    let tables = 0
    for (let i = 0; i < types.length; i++) if (tableLevel(types[i] as number) > 0) tables++
    if (tables === 0) return mapped.views
    this.#reserve(tables)
    const run = new PageRun()
    let copied = 0
    let page = 0
    for (let i = 0; i < types.length; i++) {
      const type = types[i] as number
      if (!hasContent(type)) continue
      const content = mapped.page(page++)
      const level = tableLevel(type)
      if (level === 0) {
        run.add(content)
        continue
      }
      const slot = this.#tables.subarray(copied * PAGE_SIZE, (copied + 1) * PAGE_SIZE)
      slot.set(content) // the guest may write to it meanwhile; what is tested has to be what is sent
      const fault = this.#normalise(this.#words, copied * TABLE_WORDS, level)
      if (fault !== undefined) postpone(i, fault)
      else {
        run.add(slot)
        copied++
      }
    }
    return run.pieces()
  }

  #reserve(tables: number): void {
    if (this.#words.length >= tables * TABLE_WORDS) return
    this.#words = new Uint32Array(tables * TABLE_WORDS)
    this.#tables = new Uint8Array(this.#words.buffer)
  }
}

/** Joins pages that lie side by side into one view. */
class PageRun {
  readonly #done: Uint8Array[] = []
  #first: Uint8Array | undefined
  #length = 0

  add(page: Uint8Array): void {
    const first = this.#first
    if (first !== undefined && first.buffer === page.buffer && first.byteOffset + this.#length === page.byteOffset) this.#length += PAGE_SIZE
    else {
      this.#close()
      this.#first = page
      this.#length = PAGE_SIZE
    }
  }

  pieces(): readonly Uint8Array[] {
    this.#close()
    return this.#done
  }

  #close(): void {
    if (this.#first !== undefined) this.#done.push(new Uint8Array(this.#first.buffer, this.#first.byteOffset, this.#length))
  }
}
