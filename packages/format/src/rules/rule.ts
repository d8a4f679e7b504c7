import type { Layer } from '../image/item.ts'

/**
 * Who refuses, in the order strict, xen, verifier: `R` refuses, `-` accepts.
 * `RR-`: the specification and Xen's restorer refuse, Xen's verifier does not.
 */
export type Judges = `${'R' | '-'}${'R' | '-'}${'R' | '-'}`

/** One rule: what a finding of it says, what to do about it, and who minds. */
export interface Rule {
  readonly layer: Layer
  readonly judges: Judges
  readonly says: string
  readonly hint: string
}

/** Hints that several rules share. */
export const hints = {
  damaged: 'the bytes are damaged or were never an image of this kind; fetch it again and compare checksums',
  cut: 'the sender stopped early or the copy is incomplete; compare sizes with the source',
  writer: 'the program that wrote it has a defect; Xen’s own tools never write this',
  newer: 'it was written by something newer than this version knows; update xr or convert it with the writer’s own tools',
  harmless: 'Xen restores it all the same; re-write it with `xr convert` to be rid of it',
  pair: 'restore it with a domain of the kind it was saved from',
  salvage: '`xr repair` keeps the last complete checkpoint',
} as const
