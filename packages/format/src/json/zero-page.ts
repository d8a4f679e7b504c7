import { PAGE_SIZE } from '../bytes/limits.ts'

/** Tells zero pages quickly wherever they lie: a word at a time, in memory of its own. */
export class ZeroPage {
  readonly #bytes = new Uint8Array(PAGE_SIZE)
  readonly #words = new Uint32Array(this.#bytes.buffer)

  /** @param page of PAGE_SIZE bytes. */
  is(page: Uint8Array): boolean {
    if (page[0] !== 0) return false
    this.#bytes.set(page)
    for (let i = 0; i < this.#words.length; i++) if (this.#words[i] !== 0) return false
    return true
  }
}
