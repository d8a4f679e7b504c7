import { PAGE_SIZE } from '../bytes/limits.ts'
import { base64Length, readBase64, writeBase64 } from './base64.ts'

const TEXT_LENGTH = base64Length(PAGE_SIZE)

/** A page that stood in a document as base64. As JSON it is that text again. */
export class PageBytes {
  /** Valid as long as the item it belongs to. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  toJSON(): string {
    const text = new Uint8Array(TEXT_LENGTH)
    writeBase64(this.bytes, text, 0)
    return String.fromCharCode(...text)
  }
}

/** Decodes pages as soon as their text has come: the texts of a whole item would outlive the young part of the heap. Its memory is used again. */
export class PagePool {
  readonly #pages: Uint8Array[] = []
  #used = 0

  /** The pages given out are not needed any more. */
  clear(): void {
    this.#used = 0
  }

  /** @returns undefined when `text` is not what a page is written as. */
  take(text: string): PageBytes | undefined {
    if (text.length !== TEXT_LENGTH || !text.endsWith('==')) return undefined
    const page = (this.#pages[this.#used] ??= new Uint8Array(PAGE_SIZE))
    if (!readBase64(text, PAGE_SIZE, page, 0)) return undefined
    this.#used++
    return new PageBytes(page)
  }
}
