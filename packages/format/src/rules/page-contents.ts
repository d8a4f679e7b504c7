import { PAGE_SIZE } from '../bytes/limits.ts'
import type { RecordItem } from '../image/item.ts'
import { PageMap } from '../image/page-map.ts'
import { hasContent, tableLevel, type PageData } from '../libxc/page-data.ts'
import { checkTable } from './check-pages.ts'
import type { RecordScene } from './check-record.ts'

/** Pages read at once. */
const PIECE = 64
const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** Reads and counts page contents, and compares those of a verify pass with what came before. */
export class PageContents {
  readonly #digest: (bytes: Uint8Array) => number
  readonly #digests = new PageMap(Uint32Array)
  readonly #zero: number
  #read = 0
  #zeros = 0
  #overall = FNV_START

  /** @param digest 32-bit checksum of a page. */
  constructor(digest: (bytes: Uint8Array) => number) {
    this.#digest = digest
    this.#zero = digest(new Uint8Array(PAGE_SIZE))
  }

  /** `digest` is FNV-1a over pfn and checksum of every page in stream order. */
  get totals(): { readonly read: number; readonly zero: number; readonly digest: number } {
    return { read: this.#read, zero: this.#zeros, digest: this.#overall >>> 0 }
  }

  async readAll({ body }: RecordItem, pages: PageData, scene: RecordScene): Promise<void> {
    let next = 0
    while (body.left > 0 && !body.cut) {
      const piece = await body.upTo(PIECE * PAGE_SIZE)
      for (let at = 0; at + PAGE_SIZE <= piece.length; at += PAGE_SIZE) {
        while (!hasContent(pages.type(next))) next++
        this.#page(piece.subarray(at, at + PAGE_SIZE), pages.pfn(next), pages.type(next), scene)
        next++
      }
    }
  }

  #page(page: Uint8Array, pfn: number, type: number, scene: RecordScene): void {
    const digest = this.#digest(page)
    this.#read++
    if (digest === this.#zero && page.every((byte) => byte === 0)) this.#zeros++
    this.#overall = Math.imul(Math.imul(this.#overall ^ (pfn >>> 0), FNV_PRIME) ^ digest, FNV_PRIME)
    const before = this.#digests.set(pfn, digest)
    if (scene.image.verifying && before !== undefined && before !== digest) scene.report('XC_VERIFY_MISMATCH', `pfn 0x${pfn.toString(16)}`)
    if (scene.image.guest === 'pv' && tableLevel(type) > 0) checkTable(scene, pfn, page)
  }
}
