import { PAGE_SIZE } from '../bytes/limits.ts'
import type { Body } from '../image/body.ts'
import type { RecordItem } from '../image/item.ts'
import type { PageData } from '../libxc/page-data.ts'
import type { ItemLines } from './item-lines.ts'
import { HAND_ON_BYTES, ITEM_PAGES_MAX } from './limits.ts'
import { textOfEntries } from './entry-text.ts'
import type { TextOut } from './text-out.ts'
import { ZeroPage } from './zero-page.ts'

/**
 * Keeps page contents outside of the document.
 *
 * @param pages whole pages, valid during the call.
 * @returns the number of the first of them, counted from 0 over all pages kept.
 */
export type KeepPages = (pages: Uint8Array) => number

const NOTHING = new Uint8Array(0)
const AT_ONCE = 64 * PAGE_SIZE

/** A PAGE_DATA record whose entries the walk could read. */
export type PageRecord = RecordItem & { readonly pages: PageData }

/** Writes entries and page contents of PAGE_DATA records into the item that is open. */
export class PageLines {
  readonly #lines: ItemLines
  readonly #keep: KeepPages | undefined
  readonly #zero = new ZeroPage()

  constructor(lines: ItemLines, keep: KeepPages | undefined) {
    this.#lines = lines
    this.#keep = keep
  }

  /**
   * Takes pages as far as there are any, leaving the rest in the body.
   *
   * @returns bytes of a page of which not all came; valid until the body is read on.
   */
  async *describe({ pages, body }: PageRecord): AsyncGenerator<Uint8Array, Uint8Array, void> {
    this.#lines.field('entries').json(textOfEntries(pages))
    if (pages.reserved !== 0) this.#lines.field('reserved').json(pages.reserved)
    return this.#keep === undefined ? yield* this.#inline(pages.contents, body) : await this.#kept(pages.contents, body, this.#keep)
  }

  async *#inline(contents: number, body: Body): AsyncGenerator<Uint8Array, Uint8Array, void> {
    const out = this.#lines.field('pages')
    let between = ''
    let rest: Uint8Array | undefined
    out.ascii('[')
    for (let left = Math.min(contents, ITEM_PAGES_MAX); left > 0 && rest === undefined; ) {
      if (out.size > HAND_ON_BYTES) yield out.take()
      const next = await nextPages(body, left)
      for (let at = 0; at < next.pages.length; at += PAGE_SIZE) {
        out.ascii(between)
        between = ','
        this.#page(out, next.pages.subarray(at, at + PAGE_SIZE))
      }
      left -= next.pages.length / PAGE_SIZE
      rest = next.rest
    }
    out.ascii(']')
    return rest ?? NOTHING
  }

  #page(out: TextOut, page: Uint8Array): void {
    if (this.#zero.is(page)) out.ascii('0')
    else out.base64(page)
  }

  async #kept(contents: number, body: Body, keep: KeepPages): Promise<Uint8Array> {
    let first: number | undefined
    let count = 0
    let rest: Uint8Array | undefined
    while (count < contents && rest === undefined) {
      const next = await nextPages(body, contents - count)
      const number = keep(next.pages)
      first ??= number
      count += next.pages.length / PAGE_SIZE
      rest = next.rest
    }
    this.#lines.field('pages').json({ at: first ?? 0, count })
    return rest ?? NOTHING
  }
}

/** Whole pages, and once there are no more of them, the bytes behind the last. */
interface NextPages {
  readonly pages: Uint8Array
  readonly rest: Uint8Array | undefined
}

async function nextPages(body: Body, left: number): Promise<NextPages> {
  const bytes = await body.upTo(Math.min(AT_ONCE, left * PAGE_SIZE))
  const whole = bytes.length - (bytes.length % PAGE_SIZE)
  return { pages: bytes.subarray(0, whole), rest: bytes.length === 0 || whole < bytes.length ? bytes.subarray(whole) : undefined }
}
