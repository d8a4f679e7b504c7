import { paddingOf, XC, type ByteSource } from '@xen-replication/format'

/** Image header and domain header. */
const HEADERS = 40
/** Type and length of a record, u32 each. */
const HEAD = 8
/** Most bytes of one read; what is in the processor's cache when it is copied on. */
const PIECE_BYTES = 256 * 1024

/** Reads up to `size` bytes to the start of a buffer. @returns how many, 0 at the end */
export type ReadSome = (buffer: Uint8Array, size: number) => number

/**
 * Reads a libxc image ahead of who asks for it, as far as it is sure to go: to the end of a record, and the head of the next one, unless libxl's own
 * records may follow. So a record takes one call to the system, and what is libxl's stays unread.
 */
export function imageSource(readSome: ReadSome): ByteSource {
  const piece = new Uint8Array(PIECE_BYTES)
  const view = new DataView(piece.buffer)
  const head = new DataView(new ArrayBuffer(HEAD))
  let [from, to] = [0, 0] // of `piece`: what was read and not asked for yet
  let sure = HEADERS + HEAD // bytes that belong to the image and were not read yet
  let body = HEADERS // bytes until the next head
  let headBytes = 0 // of that head that were read

  const takeHead = (type: number, length: number): void => {
    const whole = length + paddingOf(length)
    headBytes = 0
    body = whole
    sure += whole + (type === XC.END || type === XC.CHECKPOINT ? 0 : HEAD)
  }
  const follow = (size: number): void => {
    for (let at = 0; at < size; ) {
      const passed = Math.min(body, size - at)
      body -= passed
      at += passed
      while (body === 0 && at < size) {
        head.setUint8(headBytes++, view.getUint8(at++))
        if (headBytes === HEAD) takeHead(head.getUint32(0, true), head.getUint32(4, true))
      }
    }
  }
  const refill = (): void => {
    if (sure === 0) sure = HEAD // libxl has read what was its own
    from = 0
    to = readSome(piece, Math.min(sure, PIECE_BYTES))
    sure -= to
    follow(to)
  }
  return {
    read: (max) => {
      if (from === to) refill()
      if (from === to) return undefined
      const bytes = piece.subarray(from, Math.min(from + max, to))
      from += bytes.length
      return bytes
    },
  }
}
