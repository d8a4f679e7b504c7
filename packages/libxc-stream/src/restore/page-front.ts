import { isReservedType, PAGE_BATCH_MAX, pageDataFront, pageDataLength, pageDataOf, pageTypeName, viewOf, type PageData } from '@xen-replication/format'
import { HEAD_SIZE, type RecordHead } from './record-head.ts'
import { hex, refused, type StreamPlace } from './restore-error.ts'
import type { StreamFeed } from './stream-feed.ts'

/** Bytes of an entry: pfn and type of a page. */
const ENTRY = 8

/** Takes the front part of PAGE_DATA records, which tells what pages follow. */
export class PageFront {
  #words = new Uint32Array(2 * PAGE_BATCH_MAX)

  /**
   * Reads entries up to the first page; they are good until the next call.
   *
   * @throws RestoreError XC_PAGES_* unless the record is consistent in itself.
   */
  async read(feed: StreamFeed, head: RecordHead): Promise<PageData> {
    const { length, cut } = head
    if (length < ENTRY) throw refused('XC_PAGES_SHORT', head, `${length} bytes`)
    const view = viewOf(await feed.exact(ENTRY, cut))
    const count = view.getUint32(0, true)
    const reserved = view.getUint32(4, true)
    if (count === 0) throw refused('XC_PAGES_NONE', head)
    if (pageDataFront(count) > length) throw refused('XC_PAGES_ARRAY', head, `${count} entries in ${length} bytes`)
    const entries = await feed.exact(ENTRY * count, cut)
    if (this.#words.length < 2 * count) this.#words = new Uint32Array(2 * count)
    new Uint8Array(this.#words.buffer).set(entries)
    const pages = pageDataOf(count, reserved, this.#words)
    if (!pages.plain) checkTypes(pages, head)
    const wanted = pageDataLength(count, pages.contents)
    if (wanted !== length) throw refused('XC_PAGES_LENGTH', head, `${wanted} bytes wanted, ${length} there`)
    return pages
  }
}


function checkTypes(pages: PageData, head: RecordHead): void {
  for (let i = 0; i < pages.count; i++) {
    const type = pages.type(i)
    if (isReservedType(type)) throw refused('XC_PAGES_TYPE', entryPlace(head, i), `entry ${i}, pfn ${hex(pages.pfn(i))}, type ${pageTypeName(type)}`)
  }
}

/** Where an entry of a PAGE_DATA record stands. */
export const entryPlace = ({ offset, record }: RecordHead, entry: number): StreamPlace => ({ offset: offset + HEAD_SIZE + pageDataFront(entry), record })
