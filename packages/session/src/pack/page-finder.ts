import { hasContent, LIBXC_BODY_MAX, paddingOf, PAGE_SIZE, pageDataFront, pageDataLength, viewOf, XC } from '@xen-replication/format'

const HEAD = 8
const ENTRY = 8
/** Most entries of a record whose pages are looked at; Xen and xr write 1024. */
const ENTRIES_MOST = 4096
const HIGH = 2 ** 32

/** What is to come: a record's head, the count and the entries of a PAGE_DATA record, its pages, bytes of no interest, or nothing more. */
type Place = 'head' | 'count' | 'entries' | 'pages' | 'skip' | 'asleep'

/**
 * Finds the pages in the bytes of a checkpoint: libxc records up to CHECKPOINT; what comes after that, in other records, is not looked at. What makes no
 * sense is no page, and goes as it is.
 */
export class PageFinder {
  #place: Place = 'asleep'
  readonly #held = new Uint8Array(ENTRIES_MOST * ENTRY)
  #fill = 0
  #need = HEAD
  /** Bytes of the record's body and padding that are still to come; of a page that is cut, too. */
  #left = 0
  #length = 0
  readonly #pfns: number[] = []
  #next = 0
  #pfn = -1

  /** The pfn of the page that `next()` found; -1 when it found none. */
  get pfn(): number {
    return this.#pfn
  }

  /** A checkpoint begins with the next byte. */
  begin(): void {
    this.#await('head', HEAD)
  }

  /** Goes on in a piece of the stream from `at`. @returns where what it found ends: one whole page, or bytes that are none up to the next page or the end */
  next(piece: Uint8Array, at: number): number {
    let end = at
    while (end < piece.length && !this.#isPage(piece.length - end)) end = this.#pass(piece, end)
    this.#pfn = -1
    if (end > at) return end
    this.#pfn = this.#pfns[this.#next++] as number
    this.#left -= PAGE_SIZE
    if (this.#next === this.#pfns.length) this.#body()
    return at + PAGE_SIZE
  }

  #isPage(room: number): boolean {
    return this.#place === 'pages' && room >= PAGE_SIZE
  }

  /** Passes over what is no page. @returns where it ends */
  #pass(piece: Uint8Array, at: number): number {
    if (this.#place === 'asleep') return piece.length
    if (this.#place === 'pages') return this.#passCut(piece, at)
    if (this.#place === 'skip') return this.#skip(piece, at)
    const end = Math.min(piece.length, at + this.#need - this.#fill)
    this.#held.set(piece.subarray(at, end), this.#fill)
    this.#fill += end - at
    if (this.#fill === this.#need) this.#read()
    return end
  }

  /** A page that is cut goes as it is, and all that come after it in its record. */
  #passCut(piece: Uint8Array, at: number): number {
    this.#place = 'skip'
    return this.#skip(piece, at)
  }

  #skip(piece: Uint8Array, at: number): number {
    const end = Math.min(piece.length, at + this.#left)
    this.#left -= end - at
    if (this.#left === 0) this.#await('head', HEAD)
    return end
  }

  #read(): void {
    const view = viewOf(this.#held)
    if (this.#place === 'head') this.#readHead(view.getUint32(0, true), view.getUint32(4, true))
    else if (this.#place === 'count') this.#readCount(view.getUint32(0, true))
    else this.#readEntries(view, this.#need / ENTRY)
  }

  #readHead(type: number, length: number): void {
    this.#length = length
    this.#left = length + paddingOf(length)
    if (type === XC.CHECKPOINT || length > LIBXC_BODY_MAX) this.#place = 'asleep'
    else if (type === XC.PAGE_DATA && length > pageDataFront(0)) this.#await('count', pageDataFront(0))
    else this.#body()
  }

  #readCount(count: number): void {
    this.#left -= pageDataFront(0)
    if (count === 0 || count > ENTRIES_MOST || pageDataFront(count) > this.#length) this.#body()
    else this.#await('entries', count * ENTRY)
  }

  #readEntries(view: DataView, count: number): void {
    this.#left -= count * ENTRY
    this.#pfns.length = 0
    this.#next = 0
    for (let i = 0; i < count; i += 1) {
      const high = view.getUint32(ENTRY * i + 4, true)
      if (hasContent(high >>> 28)) this.#pfns.push(view.getUint32(ENTRY * i, true) + HIGH * (high & 0xf_ffff))
    }
    this.#body()
    if (this.#pfns.length > 0 && this.#length === pageDataLength(count, this.#pfns.length)) this.#place = 'pages'
  }

  /** What is left of the body is of no interest. */
  #body(): void {
    this.#place = 'skip'
    if (this.#left === 0) this.#await('head', HEAD)
  }

  #await(place: Place, bytes: number): void {
    this.#place = place
    this.#need = bytes
    this.#fill = 0
  }
}
