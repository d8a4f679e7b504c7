import { ProxyError } from './proxy-error.ts'

/** What is said at a notify_dev. Source: QEMU net/colo-compare.c; libxl_colo_proxy.c. */
export const WORDS = {
  hello: 'COLO_USERSPACE_PROXY_INIT',
  helloAnswer: 'COLO_COMPARE_GET_XEN_INIT',
  wanted: 'DO_CHECKPOINT',
  done: 'COLO_CHECKPOINT',
} as const

/** `with`: colo-compare was made with vnet_hdr_support=on, so it reads a word more; what it sends itself never has it. */
export type VnetWord = 'with' | 'without'

const LENGTH_BYTES = 4
/** Longest word that is taken, in bytes. The longest there is has 25. */
const LONGEST = 64

/** A word as it is sent to QEMU: its length, big-endian, an empty vnet word where one is due, the text without an end mark. */
export function encodeWord(word: string, vnet: VnetWord): Uint8Array {
  const text = new TextEncoder().encode(word)
  const from = vnet === 'with' ? 2 * LENGTH_BYTES : LENGTH_BYTES
  const bytes = new Uint8Array(from + text.length)
  new DataView(bytes.buffer).setUint32(0, text.length)
  bytes.set(text, from)
  return bytes
}

/** Words out of bytes as they come, cut anywhere. */
export class WordReader {
  #rest = new Uint8Array(0)
  #offset = 0

  /** @throws ProxyError PROXY_MALFORMED for a length that no word has */
  take(bytes: Uint8Array): readonly string[] {
    const all = new Uint8Array(this.#rest.length + bytes.length)
    all.set(this.#rest)
    all.set(bytes, this.#rest.length)
    const words: string[] = []
    let at = 0
    for (;;) {
      const end = at + LENGTH_BYTES + this.#lengthAt(all, at)
      if (!(end <= all.length)) break
      words.push(new TextDecoder('latin1').decode(all.subarray(at + LENGTH_BYTES, end)))
      at = end
    }
    this.#offset += at
    this.#rest = all.slice(at)
    return words
  }

  /** @returns NaN when it has not come yet */
  #lengthAt(bytes: Uint8Array, at: number): number {
    if (at + LENGTH_BYTES > bytes.length) return NaN
    const length = new DataView(bytes.buffer).getUint32(at)
    if (length > 0 && length <= LONGEST) return length
    throw new ProxyError('PROXY_MALFORMED', `a word of ${length} bytes`, { offset: this.#offset + at, hint: 'is a notify_dev of colo-compare at that address?' })
  }
}
