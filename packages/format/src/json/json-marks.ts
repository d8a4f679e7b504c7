const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
// `[`, `]`, `{` and `}` are these with and without the bit 0x20.
const [OPENING, CLOSING, CURLY] = [0x5b, 0x5d, 0x20]

/** Strings of this many characters and more are marks, too, where they lie in one chunk. */
const LONG = 1024

/** Finds the brackets and commas of a JSON text that comes in chunks, and the ends of long strings; it passes over short ones. */
export class JsonMarks {
  #depth = 0
  #inString = false
  /** The chunk before ended within a string, behind a backslash that takes what comes next. */
  #escaped = false
  #stringFrom = -1

  /** Where the string begins whose end `next()` gave: the place of its first character. */
  get stringFrom(): number {
    return this.#stringFrom
  }

  /** Brackets open behind the last mark given. */
  get depth(): number {
    return this.#depth
  }

  /**
   * @param from 0 for a new chunk.
   * @returns where the next bracket or comma, or the quote behind a long string, stands; the chunk's length when there is none.
   */
  next(chunk: string, from: number): number {
    if (from === 0) this.#stringFrom = -1
    for (let at = from; at < chunk.length; at++) {
      if (this.#inString) {
        at = this.#stringEnd(chunk, at)
        if (this.#inString || this.#stringFrom < 0 || at - this.#stringFrom < LONG) continue
        return at
      }
      const code = chunk.charCodeAt(at)
      if (code === QUOTE) {
        this.#inString = true
        this.#stringFrom = at + 1
      } else if (code === COMMA || this.#isBracket(code)) return at
    }
    return chunk.length
  }

  #isBracket(code: number): boolean {
    const shape = code & ~CURLY
    if (shape !== OPENING && shape !== CLOSING) return false
    this.#depth += shape === OPENING ? 1 : -1
    return true
  }

  /** @returns where the next quote stands, the chunk's length when there is none. */
  #stringEnd(chunk: string, from: number): number {
    const quote = chunk.indexOf('"', from)
    const end = quote < 0 ? chunk.length : quote
    let first = end
    while (first > from && chunk.charCodeAt(first - 1) === BACKSLASH) first--
    const escaped = (end - first + (first === from && this.#escaped ? 1 : 0)) % 2 === 1
    this.#escaped = quote < 0 && escaped
    this.#inString = quote < 0 || escaped
    return end
  }
}
