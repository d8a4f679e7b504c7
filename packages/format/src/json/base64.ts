const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 0x3d
const WRONG = 0x80

const digits = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))
const values = new Uint8Array(256).fill(WRONG)
digits.forEach((digit, value) => values.set([value], digit))

/** Characters that `size` bytes become. */
export const base64Length = (size: number): number => 4 * Math.ceil(size / 3)

/** Writes `bytes` as base64 (RFC 4648, with padding) in ASCII at `at` of `into`. */
export function writeBase64(bytes: Uint8Array, into: Uint8Array, at: number): void {
  const whole = bytes.length - (bytes.length % 3)
  let to = at
  for (let i = 0; i < whole; i += 3) {
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    into[to++] = digits[word >> 18] as number
    into[to++] = digits[(word >> 12) & 63] as number
    into[to++] = digits[(word >> 6) & 63] as number
    into[to++] = digits[word & 63] as number
  }
  if (whole < bytes.length) writeLast(bytes.subarray(whole), into, to)
}

function writeLast(rest: Uint8Array, into: Uint8Array, at: number): void {
  const [first = 0, second = 0] = rest
  into[at] = digits[first >> 2] as number
  into[at + 1] = digits[((first & 3) << 4) | (second >> 4)] as number
  into[at + 2] = rest.length === 2 ? (digits[(second & 15) << 2] as number) : PAD
  into[at + 3] = PAD
}

/** Bytes that a base64 text stands for, undefined when its length cannot be one. */
export function base64Size(text: string): number | undefined {
  if (text.length % 4 !== 0) return undefined
  return (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
}

/**
 * Writes the bytes of a base64 text at `at` of `into`.
 *
 * @param size as `base64Size()` gives it.
 * @returns whether the text was base64.
 */
export function readBase64(text: string, size: number, into: Uint8Array, at: number): boolean {
  const whole = size - (size % 3)
  let seen = 0
  let from = 0
  for (let to = at; to < at + whole; to += 3) {
    const a = valueAt(text, from)
    const b = valueAt(text, from + 1)
    const c = valueAt(text, from + 2)
    const d = valueAt(text, from + 3)
    from += 4
    seen |= a | b | c | d
    into[to] = (a << 2) | (b >> 4)
    into[to + 1] = (b << 4) | (c >> 2)
    into[to + 2] = (c << 6) | d
  }
  for (let i = whole; i < size; i++) {
    const a = valueAt(text, from++)
    const b = valueAt(text, from)
    seen |= a | b
    into[at + i] = i === whole ? (a << 2) | (b >> 4) : (a << 4) | (b >> 2)
  }
  return seen < WRONG
}

function valueAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 256 ? (values[code] as number) : WRONG
}

/** The bytes of a base64 text, undefined when it is none. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  const size = base64Size(text)
  if (size === undefined) return undefined
  const bytes = new Uint8Array(size)
  return readBase64(text, size, bytes, 0) ? bytes : undefined
}
