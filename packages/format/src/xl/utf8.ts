/** What stands for bytes that are not UTF-8. */
const REPLACEMENT = 0xfffd
const PIECE = 4096

// Lead bytes by their value, the bits they carry, the bytes that follow, and the lowest code point that needs so many.
const LEADS = [
  { from: 0xc2, to: 0xdf, bits: 0x1f, more: 1, least: 0x80 },
  { from: 0xe0, to: 0xef, bits: 0x0f, more: 2, least: 0x800 },
  { from: 0xf0, to: 0xf4, bits: 0x07, more: 3, least: 0x10000 },
] as const

/** UTF-8 as text. A byte that belongs to no character becomes U+FFFD. */
export function utf8OfBytes(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + PIECE)
    if (piece.every((byte) => byte < 0x80)) {
      pieces.push(String.fromCharCode(...piece))
      at += piece.length
      continue
    }
    const points: number[] = []
    for (const end = at + piece.length; at < end; ) {
      const { point, size } = pointAt(bytes, at)
      points.push(point)
      at += size
    }
    pieces.push(String.fromCodePoint(...points))
  }
  return pieces.join('')
}

function pointAt(bytes: Uint8Array, at: number): { readonly point: number; readonly size: number } {
  const first = bytes[at] as number
  if (first < 0x80) return { point: first, size: 1 }
  const lead = LEADS.find(({ from, to }) => first >= from && first <= to)
  const more = lead === undefined ? bytes.subarray(0, 0) : bytes.subarray(at + 1, at + 1 + lead.more)
  if (lead === undefined || more.length < lead.more || more.some((byte) => byte >> 6 !== 2)) return { point: REPLACEMENT, size: 1 }
  const point = more.reduce((sum, byte) => (sum << 6) | (byte & 0x3f), first & lead.bits)
  const real = point >= lead.least && point <= 0x10ffff && point >> 11 !== 0x1b
  return real ? { point, size: 1 + lead.more } : { point: REPLACEMENT, size: 1 }
}

/** Text as UTF-8. Half of a surrogate pair becomes U+FFFD. */
export function bytesOfUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(3 * text.length)
  let size = 0
  for (const char of text) {
    for (const byte of bytesOfPoint(char.codePointAt(0) as number)) bytes[size++] = byte
  }
  return bytes.slice(0, size)
}

function bytesOfPoint(point: number): readonly number[] {
  if (point < 0x80) return [point]
  if (point < 0x800) return [0xc0 | (point >> 6), tail(point)]
  if (point >> 11 === 0x1b) return bytesOfPoint(REPLACEMENT)
  if (point < 0x10000) return [0xe0 | (point >> 12), tail(point >> 6), tail(point)]
  return [0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point)]
}

const tail = (bits: number): number => 0x80 | (bits & 0x3f)
