import { bytesAt, type ImageBytes, type Place } from '../image-bytes.ts'

/** How two blobs differ: their sizes in bytes, null where there is none, and the first byte that differs. */
export interface BlobDiff {
  readonly same: boolean
  readonly a: number | null
  readonly b: number | null
  /** Counted from the beginning of the blob; null when one is the other’s beginning or missing. */
  readonly firstDifference: number | null
}

/** Compares two stretches of images byte by byte. */
export function blobDiff(a: { readonly image: ImageBytes; readonly place: Place | undefined }, b: typeof a): BlobDiff {
  const sizes = { a: a.place?.length ?? null, b: b.place?.length ?? null }
  if (a.place === undefined || b.place === undefined) return { same: a.place === b.place, ...sizes, firstDifference: null }
  const length = Math.min(a.place.length, b.place.length)
  const others = bytesAt(b.image, { at: b.place.at, length })
  let before = 0
  for (const left of bytesAt(a.image, { at: a.place.at, length })) {
    const right = others.next().value as Uint8Array
    const i = left.findIndex((byte, n) => byte !== right[n])
    if (i >= 0) return { same: false, ...sizes, firstDifference: before + i }
    before += left.length
  }
  return { same: sizes.a === sizes.b, ...sizes, firstDifference: null }
}
