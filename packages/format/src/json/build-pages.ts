import { u32, type Json } from '../bytes/field.ts'
import { inField } from '../bytes/in-field.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { asObject } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { hexOf } from '../frame/codec.ts'
import { base64Size, readBase64 } from './base64.ts'
import type { Batch } from './batch.ts'
import type { JsonObject } from './item-fields.ts'
import { LISTED_MAX } from './limits.ts'
import { PageBytes } from './page-bytes.ts'
import { frontOfText } from './entry-text.ts'

/**
 * Reads page contents that were kept outside of the document.
 *
 * @param at number of the first page.
 * @returns the pages' bytes, fewer where there are no more; valid until the next call.
 */
export type ReadPages = (at: number, count: number) => Uint8Array

const AT_ONCE = 64

/** Page contents: in the document, or the number of the first one in the file of pages. */
type Contents = { readonly count: number; readonly list: readonly Json[] } | { readonly count: number; readonly first: number }

/** The parts of a PAGE_DATA body. */
export interface PageBody {
  readonly front: Uint8Array
  readonly pages: Contents
  readonly rest: Uint8Array
  /** Bytes of all. */
  readonly size: number
}

/**
 * Reads the fields `entries`, `reserved`, `pages` and `rest`.
 *
 * @param length as the item says it; without it there must be content for each entry that has some, and no more.
 */
export function pageBodyOf(item: JsonObject, length: number | undefined): PageBody {
  const reserved = inField('reserved', () => u32.fromJson(item.reserved ?? 0))
  const front = inField('entries', () => frontOfText(item.entries as Json, reserved))
  const pages = inField('pages', () => pagesOf(item.pages ?? []))
  const rest = inField('rest', () => hexOf(item.rest ?? ''))
  const { count } = pages
  if (length === undefined && (count !== front.contents || rest.length > 0)) {
    const found = `${count} found${rest.length === 0 ? '' : `, and ${rest.length} bytes more`}`
    throw new FormatError('FMT_JSON', `pages: ${front.contents} page contents wanted for these entries, ${found}`, {
      hint: 'a page with content needs 4096 bytes in base64, or 0 for a zero page; to write a damaged record give its "length"',
    })
  }
  return { front: front.bytes, pages, rest, size: front.bytes.length + count * PAGE_SIZE + rest.length }
}

function pagesOf(json: Json): Contents {
  const pages = Array.isArray(json) ? { count: json.length, list: json as readonly Json[] } : keptOf(asObject(json))
  if (pages.count <= LISTED_MAX) return pages
  throw new FormatError('FMT_JSON', `at most ${LISTED_MAX} pages in one item, ${pages.count} found`)
}

const keptOf = ({ at, count }: JsonObject): Contents => ({
  first: inField('at', () => u32.fromJson(at)),
  count: inField('count', () => u32.fromJson(count)),
})

/** Adds a PAGE_DATA body. */
export function addPages(batch: Batch, { front, pages, rest }: PageBody, readPages: ReadPages | undefined): void {
  batch.add(front)
  inField('pages', () => ('list' in pages ? pages.list.forEach((page, i) => addPage(batch, page, i)) : addKept(batch, pages, readPages)))
  batch.add(rest)
}

function addPage(batch: Batch, page: Json | PageBytes, i: number): void {
  if (page instanceof PageBytes) return batch.add(page.bytes)
  let good = page === 0 || page === null
  batch.fill(PAGE_SIZE, (into, at) => {
    if (typeof page !== 'string') into.fill(0, at, at + PAGE_SIZE)
    else good = base64Size(page) === PAGE_SIZE && readBase64(page, PAGE_SIZE, into, at)
  })
  if (!good) throw new FormatError('FMT_JSON', `page ${i}: ${PAGE_SIZE} bytes in base64 or 0 wanted, something else found`)
}

function addKept(batch: Batch, { first, count }: { readonly first: number; readonly count: number }, readPages: ReadPages | undefined): void {
  if (readPages === undefined) {
    throw new FormatError('FMT_JSON', 'the document was written without page contents', { hint: 'give the file that has them: --pages FILE' })
  }
  for (let done = 0; done < count; done += AT_ONCE) {
    const wanted = Math.min(AT_ONCE, count - done)
    const bytes = readPages(first + done, wanted)
    if (bytes.length < wanted * PAGE_SIZE) {
      throw new FormatError('FMT_JSON', `page ${first + done + Math.floor(bytes.length / PAGE_SIZE)} is not in the file of page contents`, {
        hint: 'it is another file than the one written with this document, or not all of it',
      })
    }
    batch.add(bytes)
  }
}
