import type { ByteReader } from '../bytes/byte-reader.ts'
import { PAGE_SIZE, paddingOf } from '../bytes/limits.ts'
import type { Soon } from '../bytes/soon.ts'
import { readStruct } from '../bytes/struct.ts'
import { describeBody } from '../frame/describe.ts'
import { headerCodec, libxcCodec, libxlCodec } from '../frame/catalogue.ts'
import type { HeaderItem, Item, RecordItem, StopItem } from '../image/item.ts'
import { FIRST_BYTES, recognise } from '../image/recognise.ts'
import { XL, xlHeader } from '../xl/save-header.ts'
import { walk, type WalkOptions } from '../image/walk.ts'
import { pageDataLength } from '../libxc/page-data.ts'
import { PageLines, type KeepPages, type PageRecord } from './describe-pages.ts'
import { ItemLines } from './item-lines.ts'
import { HAND_ON_BYTES, ITEM_BODY_MAX, LISTED_MAX, PIECE_BYTES } from './limits.ts'

export interface DescribeOptions extends WalkOptions {
  /** Where page contents go that are not to stand in the document. */
  readonly keepPages?: KeepPages
  /** Told where and why the walk stopped, unless that was the end of an image. */
  readonly onStop?: (stop: StopItem) => void
}

type Steps = AsyncGenerator<Uint8Array, void, void>
type Rest = 'legacy' | 'trailing' | 'unknown'

/** What the bytes are that follow the point where a walk stopped. */
const restKinds: Readonly<Record<StopItem['reason'], Rest>> = { end: 'trailing', eof: 'trailing', cut: 'trailing', lost: 'unknown' }

/**
 * Writes any bytes as a JSON document from which `imageFromJson()` makes the same bytes: an item a line, records by
 * name where that loses nothing. Memory stays bounded whatever the image.
 *
 * @returns pieces of ASCII text, each valid until the next is asked for.
 */
export async function* describeImage(reader: ByteReader, { format = 'auto', keepPages, onStop }: DescribeOptions = {}): Steps {
  yield* new ImageLines(reader, keepPages).all(format, onStop)
}

class ImageLines {
  readonly #reader: ByteReader
  readonly #lines = new ItemLines()
  readonly #pages: PageLines
  /** The record whose item, or whose last `more`, is open, and the zero bytes that are taken for granted behind it. */
  #open: { readonly length: number; readonly implied: number } | undefined

  constructor(reader: ByteReader, keepPages: KeepPages | undefined) {
    this.#reader = reader
    this.#pages = new PageLines(this.#lines, keepPages)
  }

  async *all(format: NonNullable<WalkOptions['format']>, onStop: DescribeOptions['onStop']): Steps {
    this.#lines.head({ format: format === 'auto' ? recognise(await this.#reader.peek(FIRST_BYTES)) : format })
    const rest = yield* this.#walk(format, onStop)
    for await (const bytes of piecesOf((size) => this.#reader.upTo(size))) yield* this.#pieces(rest, bytes)
    this.#lines.end()
    yield this.#lines.out.take()
  }

  /** @returns what the bytes are that follow. */
  async *#walk(format: NonNullable<WalkOptions['format']>, onStop: DescribeOptions['onStop']): AsyncGenerator<Uint8Array, Rest, void> {
    let rest: Rest = 'trailing'
    for await (const item of walk(this.#reader, { format })) {
      this.#padding(item)
      if (item.kind === 'legacy') rest = 'legacy'
      else if (item.kind === 'record') yield* this.#record(item)
      else if (item.kind === 'stop') {
        yield* this.#pieces('cut', item.during === 'padding' ? new Uint8Array(0) : item.bytes)
        if (rest !== 'legacy') rest = restKinds[item.reason]
        if (item.reason === 'cut' || item.reason === 'lost') onStop?.(item)
      } else if (item.kind !== 'padding') this.#lines.begin({ kind: item.kind, ...describeBody(headerCodec(item.kind), item.bytes) })
      if (this.#lines.out.size > HAND_ON_BYTES) yield this.#lines.out.take()
      if (item.kind === 'xl-header' && readStruct(xlHeader, item.bytes).blockLength > ITEM_BODY_MAX) return yield* this.#behindLongBlock(item, onStop)
    }
    return rest
  }

  /** The walk would hold a block as a whole or pass over it: this one takes it in pieces, and a new walk goes on behind it. */
  async *#behindLongBlock({ bytes }: HeaderItem, onStop: DescribeOptions['onStop']): AsyncGenerator<Uint8Array, Rest, void> {
    const { blockLength, mandatoryFlags } = readStruct(xlHeader, bytes)
    const end = this.#reader.offset + blockLength
    this.#lines.begin({ kind: 'xl-block', length: blockLength, raw: '' })
    for await (const piece of piecesOf((size) => this.#reader.upTo(Math.min(size, end - this.#reader.offset)))) yield* this.#pieces('more', piece)
    const inner = recognise(await this.#reader.peek(FIRST_BYTES))
    return yield* this.#walk((mandatoryFlags & XL.streamV2) !== 0 ? 'libxl' : inner === 'libxc' || inner === 'libxl' ? inner : 'legacy', onStop)
  }

  /** Ends the open record when the walk has told what its padding was; padding that the length implies is not written down. */
  #padding(next: Item): void {
    if (this.#open === undefined) return
    const { length, implied } = this.#open
    this.#open = undefined
    const found = paddingFound(next) ?? new Uint8Array(paddingOf(length))
    if (found.length !== implied || next.kind === 'padding') this.#lines.field('padding').hex(found)
  }

  async *#record(item: RecordItem): Steps {
    const { kind, layer, type, name, length, pages } = item
    const head = { kind, layer, type, ...(name === undefined ? {} : { name }) }
    if (pages !== undefined && pages.count <= LISTED_MAX) {
      this.#lines.begin(head)
      yield* this.#pageRecord(item as PageRecord)
    } else if (pages === undefined && length <= ITEM_BODY_MAX) {
      const body = await item.body.all()
      const codec = layer === 'libxc' ? libxcCodec(type) : libxlCodec(type)
      this.#lines.begin({ ...head, ...describeBody(item.body.cut ? undefined : codec, body) })
      if (item.body.cut) this.#lines.field('length').json(length)
      this.#ends(item)
    } else {
      this.#lines.begin({ ...head, length, raw: '' })
      if (pages !== undefined) yield* this.#pieces('more', frontOf(item as PageRecord))
      yield* this.#more(item)
    }
  }

  async *#pageRecord(item: PageRecord): Steps {
    const { length, pages, body } = item
    let rest = yield* this.#pages.describe(item)
    if (rest.length === 0 && body.left <= PAGE_SIZE) rest = await body.upTo(body.left)
    if (rest.length > 0) this.#lines.field('rest').hex(rest)
    if (body.cut || body.left > 0 || length !== pageDataLength(pages.count, pages.contents)) this.#lines.field('length').json(length)
    if (body.left > 0 && !body.cut) yield* this.#more(item)
    else this.#ends(item)
  }

  /** The item has all there is of the record's body. */
  #ends({ length, body }: RecordItem): void {
    this.#open = { length, implied: body.cut ? 0 : paddingOf(length) }
  }

  /** What is left of a body, in items of its own. */
  async *#more({ length, body }: RecordItem): Steps {
    for await (const bytes of piecesOf((size) => body.upTo(size))) yield* this.#pieces('more', bytes)
    this.#open = { length, implied: 0 }
  }

  /** Items of nothing but bytes; short ones in hexadecimal. */
  *#pieces(kind: string, bytes: Uint8Array): Generator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#lines.begin({ kind })
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      if (kind === 'cut' && bytes.length <= 48) this.#lines.field('raw').hex(piece)
      else this.#lines.field('base64').base64(piece)
      if (this.#lines.out.size > HAND_ON_BYTES) yield this.#lines.out.take()
    }
  }
}

function paddingFound(next: Item): Uint8Array | undefined {
  if (next.kind === 'padding') return next.bytes
  if (next.kind !== 'stop') return undefined
  if (next.during === 'padding') return next.bytes
  return next.during === 'body' ? new Uint8Array(0) : undefined
}

/** The bytes that the walk took out of a PAGE_DATA body. */
function frontOf({ pages: { count, reserved, entries } }: PageRecord): Uint8Array {
  const bytes = new Uint8Array(8 + entries.length)
  new Uint32Array(bytes.buffer, 0, 2).set([count, reserved])
  bytes.set(entries, 8)
  return bytes
}

/** Pieces of PIECE_BYTES until there are no more bytes. */
async function* piecesOf(upTo: (size: number) => Soon<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const bytes = await upTo(PIECE_BYTES)
    if (bytes.length === 0) return
    yield bytes
  }
}
