import type { ByteReader } from '../bytes/byte-reader.ts'
import { LIBXC_BODY_MAX, paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { pageDataFront, pageDataOf, type PageData, type PageDataFault } from '../libxc/page-data.ts'
import { XC, xcRecordName } from '../libxc/record-types.ts'
import { xl2RecordName } from '../libxl/record-types.ts'
import { Body } from './body.ts'
import type { HeaderItem, Layer, RecordItem, StopItem } from './item.ts'
import { there, type Steps } from './steps.ts'

const NOTHING = new Uint8Array(0)

/** Reads headers and records of one image and keeps count of them. */
export class RecordReader {
  readonly reader: ByteReader
  #index = 0
  #epoch = 0
  #entries = new Uint32Array(0)

  constructor(reader: ByteReader) {
    this.reader = reader
  }

  checkpointPassed(): void {
    this.#epoch++
  }

  stop(reason: StopItem['reason'], layer: Layer, during: StopItem['during'] = 'none', bytes: Uint8Array = NOTHING): StopItem {
    return { kind: 'stop', reason, layer, offset: this.reader.offset, during, bytes, inCheckpoint: false }
  }

  /** A piece of fixed size, in memory of its own. */
  *header(layer: Layer, size: number): Steps<(Omit<HeaderItem, 'kind'> & { kind?: never }) | StopItem> {
    const offset = this.reader.offset
    const bytes = new Uint8Array(yield* there(this.reader.upTo(size)))
    return bytes.length === size ? { layer, offset, bytes } : this.stop('cut', layer, 'header', bytes)
  }

  /** Yields the next record and, when its consumer is done with it, padding that is not zero. */
  *next(layer: 'libxl' | 'libxc'): Steps<RecordItem | StopItem> {
    const offset = this.reader.offset
    const head = yield* there(this.reader.upTo(8))
    if (head.length === 0) return this.stop('eof', layer, 'record-head')
    if (head.length < 8) return this.stop('cut', layer, 'record-head', new Uint8Array(head))
    const view = viewOf(head)
    const type = view.getUint32(0, true)
    const body = new Body(this.reader, view.getUint32(4, true))
    const pages = layer === 'libxc' && type === XC.PAGE_DATA ? yield* this.#pageData(body) : undefined
    const record = this.#record(layer, offset, type, body, pages)
    yield record
    yield* there(body.skip())
    if (body.cut) return this.stop('cut', layer, 'body')
    if (paddingOf(body.length) === 0) return record
    const padding = new Uint8Array(yield* there(this.reader.upTo(paddingOf(record.length))))
    if (padding.length < paddingOf(record.length)) return this.stop('cut', layer, 'padding', padding)
    if (padding.some((byte) => byte !== 0)) {
      yield { kind: 'padding', layer, offset: this.reader.offset - padding.length, bytes: padding, index: record.index }
    }
    return record
  }

  #record(layer: 'libxl' | 'libxc', offset: number, type: number, body: Body, pages: PageData | PageDataFault | undefined): RecordItem {
    return {
      kind: 'record',
      layer,
      index: this.#index++,
      offset,
      type,
      length: body.length,
      name: layer === 'libxc' ? xcRecordName(type) : xl2RecordName(type),
      epoch: this.#epoch,
      pages: typeof pages === 'object' ? pages : undefined,
      fault: typeof pages === 'string' ? pages : undefined,
      body,
    }
  }

  /** Takes the entries out of the body, all or none of them. @returns undefined when the stream ends within the front part, and for a record that is too long to be one. */
  *#pageData(body: Body): Steps<PageData | PageDataFault | undefined> {
    const first = yield* there(body.peek(8))
    if (body.length < 8) return 'short'
    if (first.length < 8 || body.length > LIBXC_BODY_MAX) return undefined
    const view = viewOf(first)
    const count = view.getUint32(0, true)
    const reserved = view.getUint32(4, true)
    const size = pageDataFront(count)
    if (count === 0) return 'empty'
    if (size > body.length) return 'array-too-long'
    if ((yield* there(body.peek(size))).length < size) return undefined
    if (this.#entries.length < 2 * count) this.#entries = new Uint32Array(Math.max(2 * count, 2 * this.#entries.length))
    const front = yield* there(body.upTo(size))
    new Uint8Array(this.#entries.buffer).set(front.subarray(8))
    return pageDataOf(count, reserved, this.#entries)
  }
}
