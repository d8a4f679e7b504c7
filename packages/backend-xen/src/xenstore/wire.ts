import { readStruct, writeStruct, type Layout } from '../hypercall/struct.ts'

/** Head of every message. Source: public/io/xs_wire.h struct xsd_sockmsg. */
const head = { size: 16, fields: { type: [0, 'u32'], request: [4, 'u32'], transaction: [8, 'u32'], length: [12, 'u32'] } } as const satisfies Layout

/** Longest body. Source: XENSTORE_PAYLOAD_MAX. */
export const BODY_MAX = 4096

/** Messages by number. Source: xs_wire.h enum xsd_sockmsg_type. */
export const XS = {
  directory: 1, read: 2, watch: 4, unwatch: 5, transactionStart: 6, transactionEnd: 7, write: 11, remove: 13, watchEvent: 15, error: 16, resume: 18,
} as const

export interface XsMessage {
  readonly type: number
  readonly request: number
  readonly transaction: number
  readonly body: Uint8Array
}

export function encodeMessage({ type, request, transaction, body }: XsMessage): Uint8Array {
  const bytes = new Uint8Array(head.size + body.length)
  writeStruct(head, bytes, 0, { type, request, transaction, length: body.length })
  bytes.set(body, head.size)
  return bytes
}

/** Cuts what arrives into messages. */
export class MessageReader {
  #held = new Uint8Array(0)

  /**
   * @returns the messages that are whole now.
   * @throws RangeError for a body that is longer than xenstored may send
   */
  push(bytes: Uint8Array): readonly XsMessage[] {
    const all = new Uint8Array(this.#held.length + bytes.length)
    all.set(this.#held)
    all.set(bytes, this.#held.length)
    const messages: XsMessage[] = []
    let at = 0
    while (all.length - at >= head.size) {
      const { type, request, transaction, length } = readStruct(head, all, at)
      if (length > BODY_MAX) throw new RangeError(`a message of ${length} bytes, ${BODY_MAX} is the most`)
      if (all.length - at < head.size + length) break
      messages.push({ type, request, transaction, body: all.slice(at + head.size, at + head.size + length) })
      at += head.size + length
    }
    this.#held = all.slice(at)
    return messages
  }
}

/** Texts with a zero byte behind each. */
export const textsOf = (body: Uint8Array): readonly string[] => {
  const text = new TextDecoder().decode(body)
  return text === '' ? [] : text.replace(/\0$/, '').split('\0')
}

/** The other way round; `last` goes without a zero byte. */
export const bodyOf = (texts: readonly string[], last = ''): Uint8Array => new TextEncoder().encode(`${texts.map((text) => `${text}\0`).join('')}${last}`)
