import type { Width } from './layout.ts'

/** Words of start_info, by width. Source: public xen.h, start_info. */
const FIELDS = {
  8: { pages: 8, sharedInfo: 10, flags: 12, store: 14, storePort: 16, console: 18, consolePort: 20, topTable: 22 },
  4: { pages: 8, sharedInfo: 9, flags: 10, store: 11, storePort: 12, console: 13, consolePort: 14, topTable: 15 },
} as const

export type StartField = keyof (typeof FIELDS)[8]

const MAGIC = 'xen-3.0-x86_'
const SMALL: ReadonlySet<StartField> = new Set(['flags', 'storePort', 'consolePort'])

/** The page on which Xen tells a PV guest where things are. */
export class StartInfo {
  readonly #words: Uint32Array
  readonly #width: Width

  constructor(words: Uint32Array, width: Width) {
    this.#words = words
    this.#width = width
  }

  get valid(): boolean {
    const text = String.fromCharCode(...new Uint8Array(this.#words.buffer, this.#words.byteOffset, 14))
    return text === MAGIC + (this.#width === 8 ? '64' : '32')
  }

  create(): void {
    const text = MAGIC + (this.#width === 8 ? '64' : '32p')
    new Uint8Array(this.#words.buffer, this.#words.byteOffset, 32).set(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
  }

  get(field: StartField): number {
    const at = FIELDS[this.#width][field]
    return (this.#words[at] as number) + (this.#wide(field) ? (this.#words[at + 1] as number) * 2 ** 32 : 0)
  }

  set(field: StartField, value: number): void {
    const at = FIELDS[this.#width][field]
    this.#words[at] = value % 2 ** 32
    if (this.#wide(field)) this.#words[at + 1] = Math.floor(value / 2 ** 32)
  }

  #wide(field: StartField): boolean {
    return this.#width === 8 && !SMALL.has(field)
  }
}
