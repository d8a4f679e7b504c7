import { PAGE_SIZE } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { PageMap } from '../image/page-map.ts'

const ZERO_PAGE = new Uint8Array(PAGE_SIZE)
const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** Counts page contents, and compares those of a verify pass with what came before. */
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
    this.#zero = digest(ZERO_PAGE)
  }

  /** `digest` is FNV-1a over pfn and checksum of every page in stream order. */
  get totals(): { readonly read: number; readonly zero: number; readonly digest: number } {
    return { read: this.#read, zero: this.#zeros, digest: this.#overall >>> 0 }
  }

  /** @returns whether the pfn had other contents before. */
  add(pfn: number, page: Uint8Array): boolean {
    const digest = this.#digest(page)
    this.#read++
    if (digest === this.#zero && isZero(page)) this.#zeros++
    this.#overall = Math.imul(Math.imul(this.#overall ^ (pfn >>> 0), FNV_PRIME) ^ digest, FNV_PRIME)
    const before = this.#digests.set(pfn, digest)
    return before !== undefined && before !== digest
  }
}

function isZero(page: Uint8Array): boolean {
  const view = viewOf(page)
  for (let at = 0; at < PAGE_SIZE; at += 8) if ((view.getUint32(at) | view.getUint32(at + 4)) !== 0) return false
  return true
}
