import { paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { recordHead } from '../frame/encode.ts'
import type { RecordItem } from '../image/item.ts'
import { COPY_BYTES } from './image-bytes.ts'

/** Pieces of an image as they come; each is valid until the next one is asked for. */
export type Stream = AsyncGenerator<Uint8Array, void, void>

/** A record as it stands in the image, without its padding: head, then what its body still gives. */
export async function* copyRecord({ type, length, pages, body }: RecordItem): Stream {
  yield recordHead(type, length)
  if (pages !== undefined) {
    const front = new Uint8Array(8)
    viewOf(front).setUint32(0, pages.count, true)
    viewOf(front).setUint32(4, pages.reserved, true)
    yield front
    yield pages.entries
  }
  for (;;) {
    const piece = await body.some(COPY_BYTES)
    if (piece === undefined) return
    yield piece
  }
}

/** Zero padding for a record. */
export const zeroPadding = ({ length }: Pick<RecordItem, 'length'>): Uint8Array => new Uint8Array(paddingOf(length))
