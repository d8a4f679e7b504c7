import { PAGE_SIZE } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'

/** First byte of a page that did not change; it is the whole encoding. */
const UNCHANGED = 0x00
/** First byte of a page that is sent whole; its 4096 bytes follow. */
const FULL = 0x80
/** Bit of a run's first byte: the words are left as they are. */
const SKIP = 0x80
/** Most words in one run. */
const RUN_MAX = 0x7f
const WORD = 4

/** What became of one compressed page. */
export interface Delta {
  /** Where the next page's encoding begins. */
  readonly next: number
  /** Bytes of the page that were left as they had been. */
  readonly kept: number
}

/**
 * Applies the encoding of one page, from `at` of `input`, onto what the page held before. Runs replace words; nothing is XORed.
 *
 * @param page 4096 bytes, changed in place; half changed when the input ends too early.
 * @returns undefined when the input ends within the page.
 * @throws FormatError FMT_VALUE for a run of no words, or one that reaches over the page's end.
 */
export function applyDelta(input: Uint8Array, at: number, page: Uint8Array): Delta | undefined {
  if (at >= input.length) return undefined
  const first = input[at]
  if (first === UNCHANGED) return { next: at + 1, kept: PAGE_SIZE }
  if (first === FULL) {
    const next = at + 1 + PAGE_SIZE
    if (next > input.length) return undefined
    page.set(input.subarray(at + 1, next))
    return { next, kept: 0 }
  }
  return applyRuns(input, at, page)
}

function applyRuns(input: Uint8Array, from: number, page: Uint8Array): Delta | undefined {
  let at = from
  let done = 0
  let kept = 0
  while (done < PAGE_SIZE) {
    const marker = input[at++]
    if (marker === undefined) return undefined
    const size = (marker & RUN_MAX) * WORD
    if (size === 0) throw wrong('a run of no words')
    if (done + size > PAGE_SIZE) throw wrong(`a run of ${size} bytes where ${PAGE_SIZE - done} are left of the page`)
    if ((marker & SKIP) !== 0) kept += size
    else {
      if (at + size > input.length) return undefined
      page.set(input.subarray(at, at + size), done)
      at += size
    }
    done += size
  }
  return { next: at, kept }
}

const wrong = (what: string): FormatError => new FormatError('FMT_VALUE', `compressed page: ${what}`)

/**
 * A page from its encoding and what it held before.
 *
 * @throws FormatError FMT_VALUE when `encoded` is not one page's encoding, whole and alone.
 */
export function decompressPage(old: Uint8Array, encoded: Uint8Array): Uint8Array {
  const page = new Uint8Array(old)
  const delta = applyDelta(encoded, 0, page)
  if (delta === undefined) throw wrong('it ends early')
  if (delta.next < encoded.length) throw wrong(`${encoded.length - delta.next} bytes are left over`)
  return page
}

/**
 * The encoding of a page, 1 to 4097 bytes.
 *
 * @param old what the receiver holds of this page; undefined when that is not known, and for page tables, which Xen always sends whole.
 */
export function compressPage(old: Uint8Array | undefined, page: Uint8Array): Uint8Array {
  if (old === undefined) return whole(page)
  const same = sameWords(old, page)
  if (same.every((is) => is)) return Uint8Array.of(UNCHANGED)
  const out: number[] = []
  for (let word = 0; word < same.length; ) {
    const start = word
    while (word < same.length && word - start < RUN_MAX && same[word] === same[start]) word++
    if (same[start] === true) out.push(SKIP | (word - start))
    else out.push(word - start, ...page.subarray(start * WORD, word * WORD))
  }
  return out.length > PAGE_SIZE ? whole(page) : Uint8Array.from(out)
}

function whole(page: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + PAGE_SIZE)
  out[0] = FULL
  out.set(page, 1)
  return out
}

function sameWords(a: Uint8Array, b: Uint8Array): boolean[] {
  const [left, right] = [viewOf(a), viewOf(b)]
  return Array.from({ length: PAGE_SIZE / WORD }, (_, i) => left.getUint32(i * WORD) === right.getUint32(i * WORD))
}
