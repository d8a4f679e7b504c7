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

export function sameBytes(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}

export const sameParts = (a: Part, b: Part): boolean => a.to - a.from === b.to - b.from && sameBytes(a.bytes, a.from, b.bytes, b.from, a.to - a.from)
