import { u32, type Json } from '../bytes/field.ts'
import { inField } from '../bytes/in-field.ts'
import { paddingOf } from '../bytes/limits.ts'
import { asObject, viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { headerCodec, libxcCodec, libxlCodec } from '../frame/catalogue.ts'
import { hexOf } from '../frame/codec.ts'
import { bodyFromDescription } from '../frame/describe.ts'
import { recordHead } from '../frame/encode.ts'
import type { HeaderItem } from '../image/item.ts'
import { XC } from '../libxc/record-types.ts'
import { bytesOfBase64 } from './base64.ts'
import type { Batch } from './batch.ts'
import { addPages, pageBodyOf, type ReadPages } from './build-pages.ts'
import { onlyFields, type JsonObject } from './item-fields.ts'

/** Where the `xl` header keeps the length of the block that follows it. */
const XL_BLOCK_LENGTH_AT = 44

const headers: Readonly<Record<HeaderItem['kind'], readonly string[]>> = {
  'xl-header': ['raw', 'value'],
  'xl-block': ['raw', 'value', 'length'],
  'libxl-header': ['raw', 'value'],
  'image-header': ['raw', 'value'],
  'domain-header': ['raw', 'value'],
}
const recordFields = ['layer', 'type', 'name', 'raw', 'value', 'entries', 'reserved', 'pages', 'rest', 'length', 'padding']
const plainFields: Readonly<Record<string, readonly string[]>> = {
  more: ['raw', 'base64', 'padding'],
  cut: ['raw', 'base64'],
  trailing: ['raw', 'base64'],
  legacy: ['raw', 'base64'],
  unknown: ['raw', 'base64'],
}

const isHeader = (kind: string): kind is HeaderItem['kind'] => Object.hasOwn(headers, kind)
const isPlain = (kind: string): boolean => Object.hasOwn(plainFields, kind)

/** Makes the bytes of one item after the other. Lengths, counts and padding follow from what the items hold, unless an item says otherwise. */
export class ItemBuilder {
  readonly #batch: Batch
  readonly #readPages: ReadPages | undefined
  /** The `xl` header, until it is known how long the block behind it is. */
  #xlHeader: Uint8Array | undefined

  constructor(batch: Batch, readPages: ReadPages | undefined) {
    this.#batch = batch
    this.#readPages = readPages
  }

  /** @throws FormatError naming the field at fault. */
  add(json: Json): void {
    const item = asObject(json)
    const { kind } = item
    if (typeof kind !== 'string' || !(kind === 'record' || isHeader(kind) || isPlain(kind))) {
      const all = ['record', ...Object.keys(headers), ...Object.keys(plainFields)]
      throw new FormatError('FMT_JSON', `kind: ${JSON.stringify(kind) ?? 'nothing'} found`, { hint: `it is one of ${all.join(', ')}` })
    }
    if (isHeader(kind)) return this.#header(kind, item)
    this.end()
    if (kind === 'record') this.#record(item)
    else this.#plain(kind, item)
  }

  /** To be called behind the last item. */
  end(): void {
    if (this.#xlHeader !== undefined) this.#batch.add(this.#xlHeader)
    this.#xlHeader = undefined
  }

  #header(kind: HeaderItem['kind'], item: JsonObject): void {
    onlyFields(item, headers[kind])
    const bytes = described(item, (description) => bodyFromDescription(headerCodec(kind), description))
    if (kind === 'xl-block') this.#setBlockLength(inField('length', () => (item.length === undefined ? bytes.length : u32.fromJson(item.length))))
    this.end()
    if (kind === 'xl-header') this.#xlHeader = bytes
    else this.#batch.add(bytes)
  }

  #setBlockLength(length: number): void {
    if (this.#xlHeader === undefined || this.#xlHeader.length < XL_BLOCK_LENGTH_AT + 4) return
    this.#xlHeader = this.#xlHeader.slice()
    viewOf(this.#xlHeader).setUint32(XL_BLOCK_LENGTH_AT, length, true)
  }

  #record(item: JsonObject): void {
    onlyFields(item, recordFields)
    const layer = inField('layer', () => layerOf(item.layer))
    const type = inField('type', () => u32.fromJson(item.type))
    const length = inField('length', () => (item.length === undefined ? undefined : u32.fromJson(item.length)))
    const padding = inField('padding', () => (item.padding === undefined ? undefined : hexOf(item.padding)))
    const begin = (size: number): void => this.#batch.add(recordHead(type, length ?? size))
    let size: number
    if (item.entries === undefined) {
      const codec = layer === 'libxc' ? libxcCodec(type) : libxlCodec(type)
      const body = described(item, (description) => bodyFromDescription(codec, description))
      begin((size = body.length))
      this.#batch.add(body)
    } else {
      if (layer !== 'libxc' || type !== XC.PAGE_DATA) throw new FormatError('FMT_JSON', `entries: only PAGE_DATA, type ${XC.PAGE_DATA} of libxc, has them`)
      const body = pageBodyOf(item, length)
      begin((size = body.size))
      addPages(this.#batch, body, this.#readPages)
    }
    this.#batch.add(padding ?? new Uint8Array(length === undefined || length === size ? paddingOf(size) : 0))
  }

  #plain(kind: string, item: JsonObject): void {
    onlyFields(item, plainFields[kind] as readonly string[])
    this.#batch.add(inField('raw', () => (item.raw === undefined ? new Uint8Array(0) : hexOf(item.raw))))
    this.#batch.add(inField('base64', () => (item.base64 === undefined ? new Uint8Array(0) : base64Of(item.base64))))
    this.#batch.add(inField('padding', () => (item.padding === undefined ? new Uint8Array(0) : hexOf(item.padding))))
  }
}

function described({ raw, value }: JsonObject, work: (description: Json) => Uint8Array): Uint8Array {
  if ((raw === undefined) === (value === undefined)) throw new FormatError('FMT_JSON', '"raw" or "value" wanted, one of them')
  return raw === undefined ? inField('value', () => work({ value: value as Json })) : inField('raw', () => work({ raw }))
}

function layerOf(json: Json | undefined): 'libxl' | 'libxc' {
  if (json === 'libxl' || json === 'libxc') return json
  throw new FormatError('FMT_JSON', `"libxl" or "libxc" wanted, ${JSON.stringify(json) ?? 'nothing'} found`)
}

function base64Of(json: Json): Uint8Array {
  const bytes = typeof json === 'string' ? bytesOfBase64(json) : undefined
  if (bytes === undefined) throw new FormatError('FMT_JSON', 'bytes in base64 wanted, something else found')
  return bytes
}
