import { viewOf } from '../bytes/struct.ts'
import { recordHead } from '../frame/encode.ts'
import { hasContent, pageDataFront, pageDataLength } from './page-data.ts'
import { XC } from './record-types.ts'

const HIGH = 0x1_0000_0000

/** One entry of a PAGE_DATA record. */
export interface PageEntry {
  /** Below 2^52. */
  readonly pfn: number
  /** Type nibble. */
  readonly type: number
}

/** Writes an entry, 8 bytes. @param spare bits 59 to 52. */
export function writePageEntry(view: DataView, at: number, { pfn, type }: PageEntry, spare = 0): void {
  view.setUint32(at, pfn % HIGH, true)
  view.setUint32(at + 4, type * 0x1000_0000 + spare * 0x10_0000 + Math.floor(pfn / HIGH), true)
}

/** A PAGE_DATA record up to its pages, of which there is one for each entry that has content. */
export function pageDataHead(entries: readonly PageEntry[]): Uint8Array {
  const contents = entries.filter(({ type }) => hasContent(type)).length
  const bytes = new Uint8Array(8 + pageDataFront(entries.length))
  bytes.set(recordHead(XC.PAGE_DATA, pageDataLength(entries.length, contents)))
  const view = viewOf(bytes)
  view.setUint32(8, entries.length, true)
  entries.forEach((entry, i) => writePageEntry(view, 8 + pageDataFront(i), entry))
  return bytes
}
