import { crc32 } from 'node:zlib'

/** What happened in a run, in order. Lines are kept only where somebody will read them; their digest is that of the whole run in any case. */
export class Story {
  readonly #now: () => number
  readonly #lines: string[] | undefined
  #digest = 0

  constructor(now: () => number, keep: 'lines' | 'digest') {
    this.#now = now
    this.#lines = keep === 'lines' ? [] : undefined
  }

  get lines(): readonly string[] {
    return this.#lines ?? []
  }

  /** 32 bits, in hexadecimal. */
  get digest(): string {
    return this.#digest.toString(16).padStart(8, '0')
  }

  tell(who: string, what: string): void {
    const line = `${this.#now().toFixed(3).padStart(10)}  ${who.padEnd(7)}  ${what}`
    this.#digest = crc32(line, this.#digest)
    this.#lines?.push(line)
  }

  /** Something too small for a line. */
  note(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#digest = crc32(bytes, this.#digest)
  }
}
