import type { Json } from '../bytes/field.ts'
import { base64Length, writeBase64 } from './base64.ts'
import { Batch } from './batch.ts'

const HEX = '0123456789abcdef'
const QUOTE = '"'

/** Gathers JSON as ASCII: whatever is beyond is escaped, so nobody needs to know an encoding. */
export class TextOut {
  readonly #batch = new Batch()

  /** Bytes gathered since the last `take()`. */
  get size(): number {
    return this.#batch.size
  }

  /** @param text of ASCII characters. */
  ascii(text: string): void {
    this.#batch.fill(text.length, (into, at) => {
      for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i)
    })
  }

  json(value: Json): void {
    this.ascii(asciiJson(value))
  }

  /** Bytes as a JSON string in hexadecimal. */
  hex(bytes: Uint8Array): void {
    this.ascii(QUOTE)
    this.#batch.fill(2 * bytes.length, (into, at) => {
      let to = at
      for (const byte of bytes) {
        into[to++] = HEX.charCodeAt(byte >> 4)
        into[to++] = HEX.charCodeAt(byte & 15)
      }
    })
    this.ascii(QUOTE)
  }

  /** Bytes as a JSON string in base64. */
  base64(bytes: Uint8Array): void {
    this.ascii(QUOTE)
    this.#batch.fill(base64Length(bytes.length), (into, at) => writeBase64(bytes, into, at))
    this.ascii(QUOTE)
  }

  /** What was gathered; valid until something is added. */
  take(): Uint8Array {
    return this.#batch.take()
  }
}

/** JSON text of ASCII characters only. */
export function asciiJson(value: Json): string {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
