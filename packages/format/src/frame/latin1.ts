const PIECE = 8192

/** Bytes as text, one character of code 0 to 255 for each, so nothing is lost whatever they are. */
export function textOfBytes(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)))
  return pieces.join('')
}

/** The other way round; undefined when the text has a character above 255. */
export function bytesOfText(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) return undefined
    bytes[i] = code
  }
  return bytes
}
