import { SessionError } from '../session-error.ts'
import type { PageCopies } from './page-copies.ts'
import { PACKED_PAGE_MOST, PAGE_BYTES, PageDelta } from './page-delta.ts'

/** Pages in a row that did not get shorter before some are sent unseen. */
const PATIENCE = 8
/** Most pages sent unseen before one is tried again; doubled each time. */
const UNSEEN_MOST = 256

/** Packs memory page by page against the latest copies, which it keeps. One for each direction and session, as its counterpart. */
export class PagePacker {
  readonly #delta = new PageDelta()
  readonly #copies: PageCopies
  #out = new Uint8Array(0)
  #failures = 0
  #unseen = 0
  #pause = PATIENCE

  constructor(copies: PageCopies) {
    this.#copies = copies
  }

  /**
   * @param memory the pages, 4096 bytes each, in the order of `pfns`.
   * @returns at most 0.05 % more bytes than `memory`, valid until the next call; the peer has to know the pfns.
   */
  pack(pfns: readonly number[], memory: Uint8Array): Uint8Array {
    requirePages(pfns, memory.length)
    if (this.#out.length < pfns.length * PACKED_PAGE_MOST) this.#out = new Uint8Array(pfns.length * PACKED_PAGE_MOST)
    let at = 0
    pfns.forEach((pfn, i) => {
      at = this.packPage(pfn, memory.subarray(PAGE_BYTES * i, PAGE_BYTES * (i + 1)), this.#out, at)
    })
    return this.#out.subarray(0, at)
  }

  /** Packs one page. @param out has room for PACKED_PAGE_MOST bytes from `at` on. @returns where it ends */
  packPage(pfn: number, page: Uint8Array, out: Uint8Array, at: number): number {
    const base = this.#looks() ? this.#copies.get(pfn) : undefined
    const { as, end } = this.#delta.pack(page, base, out, at)
    if (base !== undefined) this.#learn(as === 'raw')
    if (as !== 'delta') this.#copies.put(pfn, page)
    return end
  }

  /** Whether to compare the next page: looking costs time, and where pages change altogether it is for nothing. */
  #looks(): boolean {
    if (this.#unseen === 0) return true
    this.#unseen -= 1
    return false
  }

  #learn(failed: boolean): void {
    this.#failures = failed ? this.#failures + 1 : 0
    if (!failed) this.#pause = PATIENCE
    if (this.#failures < PATIENCE) return
    this.#unseen = this.#pause
    this.#pause = Math.min(2 * this.#pause, UNSEEN_MOST)
    this.#failures = PATIENCE - 1 // one more is enough
  }
}

/** Takes apart what a `PagePacker` made. */
export class PageUnpacker {
  readonly #delta = new PageDelta()
  readonly #copies: PageCopies

  constructor(copies: PageCopies) {
    this.#copies = copies
  }

  /**
   * @param pfns as when it was packed. Memory for that many pages is taken, if at least their heads are there.
   * @throws SessionError SESSION_DAMAGED; the session cannot go on then
   */
  unpack(pfns: readonly number[], packed: Uint8Array): Uint8Array {
    if (packed.length < 2 * pfns.length) throw new SessionError('SESSION_DAMAGED', `packed pages were changed on their way: ${packed.length} bytes for ${pfns.length} pages`)
    const memory = new Uint8Array(PAGE_BYTES * pfns.length)
    let at = 0
    pfns.forEach((pfn, i) => {
      at = this.unpackPage(pfn, packed, at, memory.subarray(PAGE_BYTES * i, PAGE_BYTES * (i + 1)))
    })
    if (at !== packed.length) throw new SessionError('SESSION_DAMAGED', 'packed pages were changed on their way: bytes are left over')
    return memory
  }

  /** Takes the page that is packed from `at` on. @param page takes it. @returns where it ends. @throws as `unpack` */
  unpackPage(pfn: number, packed: Uint8Array, at: number, page: Uint8Array): number {
    const { as, end } = this.#delta.unpack(packed, at, this.#copies.get(pfn), page)
    if (as !== 'delta') this.#copies.put(pfn, page)
    return end
  }
}

function requirePages(pfns: readonly number[], bytes: number): void {
  if (bytes !== PAGE_BYTES * pfns.length) throw new SessionError('SESSION_OPTION', `${bytes} bytes are not ${pfns.length} pages`, { hint: 'report this' })
}
