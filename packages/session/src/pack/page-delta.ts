import { SessionError } from '../session-error.ts'

export const PAGE_BYTES = 4096
const WORDS = PAGE_BYTES / 4
/** Longest run of words in one pair. */
const RUN = 255

/** Head of a packed page, u16 little endian: bytes of the delta that follows, or one of these. */
const RAW = 0xffff
const ZERO = 0xfffe
/** Bytes before each packed page. */
const HEAD = 2
/** Most bytes that a page takes: 0.05 % more than as it is. */
export const PACKED_PAGE_MOST = HEAD + PAGE_BYTES

/** How a page was packed, and where it ends. */
export interface Packed {
  readonly as: 'delta' | 'zero' | 'raw'
  readonly end: number
}

/**
 * Packs pages as what differs from a copy that the peer has, too. A delta is a list of pairs of u8, words that stay and then words that change,
 * followed by the changed words, each the exclusive or of old and new; a word has 4 bytes, what comes after the last pair stays. Pairs end where
 * they and their words fill the length. More than 255 words that stay are pairs (255, 0) first.
 *
 * Words are packed in the order of bytes of the machine, which is little endian wherever Xen runs.
 */
export class PageDelta {
  readonly #pairs = new Uint8Array(2 * WORDS)
  readonly #xors = new Int32Array(WORDS)
  readonly #xorBytes = new Uint8Array(this.#xors.buffer)
  /** For pages that do not begin at a multiple of 4. */
  readonly #aligned = new Int32Array(WORDS)
  readonly #alignedBytes = new Uint8Array(this.#aligned.buffer)

  /**
   * @param base the copy, at a multiple of 4 in memory; undefined when there is none, or none is to be looked at. After a `delta` it is the same as the page, otherwise it holds
   *   anything.
   * @param out has room for PACKED_PAGE_MOST bytes from `at` on.
   * @returns how, and where in `out` it ends.
   */
  pack(page: Uint8Array, base: Uint8Array | undefined, out: Uint8Array, at: number): Packed {
    const words = this.#wordsOf(page)
    if (isZero(words)) return { as: 'zero', end: putHead(out, at, ZERO) }
    const size = base === undefined ? undefined : this.#compare(words, base)
    if (size === undefined) {
      out.set(page, putHead(out, at, RAW))
      return { as: 'raw', end: at + PACKED_PAGE_MOST }
    }
    const body = putHead(out, at, size.pairs + size.words)
    copy(this.#pairs, size.pairs, out, body)
    copy(this.#xorBytes, size.words, out, body + size.pairs)
    return { as: 'delta', end: body + size.pairs + size.words }
  }

  /**
   * @param base as when it was packed; after a `delta` it is the same as the page, otherwise it stays.
   * @param page takes the page; its 4096 bytes are not those of `base`.
   * @throws SessionError SESSION_DAMAGED; `base` and `page` are as before
   */
  unpack(packed: Uint8Array, at: number, base: Uint8Array | undefined, page: Uint8Array): Packed {
    if (at + HEAD > packed.length) throw damaged('it ends within a page')
    const length = (packed[at] as number) | ((packed[at + 1] as number) << 8)
    const body = at + HEAD
    if (length === ZERO) {
      page.fill(0)
      return { as: 'zero', end: body }
    }
    const end = body + (length === RAW ? PAGE_BYTES : length)
    if (end > packed.length) throw damaged('it ends within a page')
    if (length === RAW) page.set(packed.subarray(body, end))
    else this.#apply(packed.subarray(body, end), base, page)
    return { as: length === RAW ? 'raw' : 'delta', end }
  }

  /** Finds what differs, and makes `base` the same. @returns bytes of the pairs and of the words, undefined when the page is no longer as it is. */
  #compare(page: Int32Array, copy: Uint8Array): Size | undefined {
    const base = inPlace(copy)
    const pairs = this.#pairs
    const xors = this.#xors
    let put = 0
    let changed = 0
    let at = 0
    for (;;) {
      const next = firstDifference(page, base, at)
      if (next === WORDS) return { pairs: put, words: 4 * changed }
      for (; next - at > RUN; at += RUN) {
        pairs[put++] = RUN
        pairs[put++] = 0
      }
      pairs[put++] = next - at
      const most = Math.min(WORDS, next + RUN)
      for (at = next; at < most; at += 1) {
        const word = page[at] as number
        const xor = word ^ (base[at] as number)
        if (xor === 0) break
        xors[changed++] = xor
        base[at] = word
      }
      pairs[put++] = at - next
      if (put + 4 * changed >= PAGE_BYTES) return undefined
    }
  }

  #apply(delta: Uint8Array, copy: Uint8Array | undefined, page: Uint8Array): void {
    if (copy === undefined) throw damaged('it builds on a page that is not there')
    const { pairs } = measured(delta)
    const base = inPlace(copy)
    const xors = this.#xors
    this.#xorBytes.set(delta.subarray(pairs))
    let at = 0
    let taken = 0
    for (let i = 0; i < pairs; i += 2) {
      at += delta[i] as number
      for (const end = at + (delta[i + 1] as number); at < end; at += 1) base[at] = (base[at] as number) ^ (xors[taken++] as number)
    }
    page.set(copy)
  }

  #wordsOf(page: Uint8Array): Int32Array {
    if (page.byteOffset % 4 === 0) return inPlace(page)
    this.#alignedBytes.set(page)
    return this.#aligned
  }
}

/** Bytes of the parts of a delta. */
interface Size {
  readonly pairs: number
  readonly words: number
}

/** Copies lie at multiples of 4, see PageCopies. */
function inPlace(page: Uint8Array): Int32Array {
  return new Int32Array(page.buffer, page.byteOffset, WORDS)
}

/** Looks a delta through before anything of it is used. @throws SessionError SESSION_DAMAGED */
function measured(delta: Uint8Array): Size {
  let pairs = 0
  let words = 0
  let at = 0
  while (pairs + 4 * words < delta.length) {
    if (pairs + 2 > delta.length) throw damaged('a delta does not fit its length')
    const stay = delta[pairs] as number
    const change = delta[pairs + 1] as number
    if (change === 0 && stay !== RUN) throw damaged('a delta changes nothing where it should')
    at += stay + change
    words += change
    pairs += 2
    if (at > WORDS) throw damaged('a delta reaches beyond its page')
  }
  if (pairs + 4 * words !== delta.length) throw damaged('a delta does not fit its length')
  return { pairs, words: 4 * words }
}

/** Four words at a time; indices are within bounds. */
function firstDifference(a: Int32Array, b: Int32Array, from: number): number {
  let i = from
  while (i + 4 <= WORDS && fourDiffer(a, b, i) === 0) i += 4
  while (i < WORDS && a[i] === b[i]) i += 1
  return i
}

function fourDiffer(a: Int32Array, b: Int32Array, i: number): number {
  return ((a[i] as number) ^ (b[i] as number)) | ((a[i + 1] as number) ^ (b[i + 1] as number)) | ((a[i + 2] as number) ^ (b[i + 2] as number)) | ((a[i + 3] as number) ^ (b[i + 3] as number))
}

/** Most pages show that they are not in their first or middle words. */
function isZero(words: Int32Array): boolean {
  if (words[0] !== 0 || words[WORDS / 2] !== 0) return false
  for (let i = 0; i < WORDS; i += 1) if (words[i] !== 0) return false
  return true
}

/** Short copies, which most are, are faster byte by byte. */
function copy(from: Uint8Array, length: number, to: Uint8Array, at: number): void {
  if (length > 64) to.set(from.subarray(0, length), at)
  else for (let i = 0; i < length; i += 1) to[at + i] = from[i] as number
}

function putHead(out: Uint8Array, at: number, value: number): number {
  out[at] = value & 0xff
  out[at + 1] = value >> 8
  return at + HEAD
}

const damaged = (why: string): SessionError => new SessionError('SESSION_DAMAGED', `packed pages were changed on their way: ${why}`)
