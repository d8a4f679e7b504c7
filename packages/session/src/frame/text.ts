import { printable } from '@xen-replication/format'

/**
 * Text from a peer for a terminal or a log: line breaks, escape sequences and everything beyond ASCII are spelled out, so that it can neither move
 * the cursor nor pretend to be a line of ours.
 */
export function plainText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += PIECE) text += printable(bytes.subarray(at, at + PIECE))
  return text.replaceAll('\\"', '"')
}

/** What `printable` shows at once. */
const PIECE = 80

/** Text as ASCII of at most `most` bytes; what is not ASCII becomes `?`. */
export function asciiOf(text: string, most: number): Uint8Array {
  const cut = text.length > most ? `${text.slice(0, most - 3)}...` : text
  return Uint8Array.from(cut, (char) => {
    const code = char.charCodeAt(0)
    return code < 0x80 ? code : QUESTION_MARK
  }).subarray(0, most)
}

const QUESTION_MARK = 0x3f
