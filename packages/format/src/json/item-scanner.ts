import type { Json } from '../bytes/field.ts'
import { FormatError } from '../format-error.ts'
import { JsonMarks } from './json-marks.ts'
import { PageBytes, PagePool } from './page-bytes.ts'
import { DECODE_SCHEMA, DEPTH_MAX, FRAME_TEXT_MAX, ITEM_TEXT_MAX } from './limits.ts'

const ITEMS_KEY = /[{,]\s*"items"\s*:\s*\[$/
/** Brackets open within the list of items, outside of any item. */
const LIST_DEPTH = 2
const HINT = 'give a document that `xr decode` wrote'

/** The text of an item, valid until the next. Long strings were taken out, to be copied no more than needed; `{"": N}` stands for the one of that number. */
export interface ScannedItem {
  readonly text: string
  readonly aside: readonly (string | PageBytes)[]
}

/** Splits a document, however it is laid out, into its items as its text arrives. Memory holds one item. */
export class ItemScanner {
  readonly #marks = new JsonMarks()
  readonly #itemMax: number
  /** What stands around the items. */
  #frame = ''
  #parts: string[] = []
  #length = 0
  #aside: (string | PageBytes)[] = []
  readonly #pages = new PagePool()
  #count = 0
  #place: 'before' | 'items' | 'behind' = 'before'

  /** @param itemMax longest item, in characters. */
  constructor(itemMax: number = ITEM_TEXT_MAX) {
    this.#itemMax = itemMax
  }

  /**
   * @returns texts of the items that are now complete.
   * @throws FormatError FMT_JSON when this is another kind of document, or something in it is too long.
   */
  *push(chunk: string): Generator<ScannedItem, void, void> {
    let from = 0
    for (let at = this.#marks.next(chunk, 0); at < chunk.length; at = this.#marks.next(chunk, at + 1)) {
      const { depth } = this.#marks
      if (depth > DEPTH_MAX) throw new FormatError('FMT_JSON', `item ${this.#count} is nested too deep`, { hint: HINT })
      if (chunk[at] === '"') {
        if (this.#place === 'items') from = this.#setAside(chunk, from, at)
      } else if (this.#place === 'items') {
        if (depth > LIST_DEPTH || (depth === LIST_DEPTH && chunk[at] !== ',')) continue
        const text = this.#whole(chunk.slice(from, at))
        from = depth === LIST_DEPTH ? at + 1 : at
        if (depth < LIST_DEPTH) this.#place = 'behind'
        if (depth === LIST_DEPTH || this.#count > 0 || text.trim() !== '') yield { text, aside: this.#aside }
        this.#aside = []
        this.#pages.clear()
        this.#count++
      } else if (this.#place === 'before' && depth === LIST_DEPTH && chunk[at] === '[') {
        this.#around(chunk.slice(from, at + 1))
        from = at + 1
        if (ITEMS_KEY.test(this.#frame)) this.#place = 'items'
      }
    }
    if (this.#place === 'items') this.#keep(chunk.slice(from))
    else this.#around(chunk.slice(from))
  }

  /** @throws FormatError FMT_JSON when the document is not whole, or of another schema. */
  end(): void {
    if (this.#place === 'items') throw new FormatError('FMT_JSON', `the document ends within item ${this.#count}`, { hint: HINT })
    const document = parseJson(this.#frame, 'the text around the items is no JSON') as { readonly schema?: Json }
    if (this.#place === 'before') throw new FormatError('FMT_JSON', 'the document has no list "items"', { hint: HINT })
    if (document.schema !== DECODE_SCHEMA) throw new FormatError('FMT_JSON', `"schema": "${DECODE_SCHEMA}" wanted`, { hint: HINT })
  }

  #around(text: string): void {
    this.#frame += text
    if (!/^\s*(\{|$)/.test(this.#frame)) throw new FormatError('FMT_JSON', 'this is no JSON document', { hint: HINT })
    if (this.#frame.length > FRAME_TEXT_MAX) {
      throw new FormatError('FMT_JSON', `more than ${FRAME_TEXT_MAX} characters outside of "items"`, { hint: HINT })
    }
  }

  /** Takes a long string out of the item's text unless it needs unescaping. @returns from where on the chunk is still to be kept. */
  #setAside(chunk: string, from: number, end: number): number {
    const text = chunk.slice(this.#marks.stringFrom, end)
    if (text.includes('\\')) return from
    this.#keep(`${chunk.slice(from, this.#marks.stringFrom - 1)}{"":${this.#aside.length}}`)
    this.#aside.push(this.#pages.take(text) ?? text)
    this.#length += text.length
    return end + 1
  }

  #keep(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
    if (this.#length <= this.#itemMax) return
    throw new FormatError('FMT_JSON', `item ${this.#count} is longer than ${this.#itemMax} characters`, { hint: 'write long bodies as `xr decode` does, in items of the kind "more"' })
  }

  #whole(text: string): string {
    this.#keep(text)
    const whole = this.#parts.join('')
    this.#parts = []
    this.#length = 0
    return whole
  }
}

/** @throws FormatError FMT_JSON, with the parser's own words behind `what`. */
function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new FormatError('FMT_JSON', `${what}: ${(error as SyntaxError).message}`, { hint: HINT, cause: error })
  }
}

/**
 * The item as JSON.
 *
 * @throws FormatError FMT_JSON
 */
export function parseItem({ text, aside }: ScannedItem): Json {
  const json = parseJson(text, 'this is no JSON')
  return aside.length === 0 ? json : withStrings(json, aside)
}

/** @param listed the value stands in a list; only there pages stay bytes. */
function withStrings(json: Json, aside: ScannedItem['aside'], listed = false): Json {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((part: Json) => withStrings(part, aside, true))
  const object = json as { readonly [key: string]: Json }
  const number = object['']
  if (number !== undefined) {
    const text = aside[number as number] ?? null
    return text instanceof PageBytes && !listed ? text.toJSON() : (text as Json)
  }
  return Object.fromEntries(Object.entries(object).map(([key, part]) => [key, withStrings(part, aside)]))
}
