import { paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { joined } from '../bytes/joined.ts'

/** The 8-byte head of a record of either stream. @param length of the body, in bytes. */
export function recordHead(type: number, length: number): Uint8Array {
  const head = new Uint8Array(8)
  const view = viewOf(head)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  return head
}

/** A whole record of either stream: head, body, zero padding to a multiple of 8. @param body in as many parts as one likes. */
export function encodeRecord(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  return joined(recordHead(type, length), ...body, new Uint8Array(paddingOf(length)))
}
