import { bodySizeError, raw, reserved, struct, u16, u32, u8, type Codec, type Fields, type Json, type Struct, type ValuesOf } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'
import { count } from './count.ts'
import { decodeNames, encodeNames, NAMES_BYTES } from './names.ts'

/** First bytes of every greeting; the line breaks show when something on the way changes them. */
export const MAGIC = Uint8Array.from([0x89, 0x78, 0x72, 0x77, 0x0d, 0x0a, 0x1a, 0x0a])

export const SESSION_ID_BYTES = 16
/** Also the length of keys and tokens: SHA-256. */
export const NONCE_BYTES = 32

/** `role`: 1 the sender, 2 the receiver. `resuming`: 0 a new session, 1 one that lost its link. */
const front = struct(80, {
  magic: raw(8), minVersion: u16, maxVersion: u16, role: u8, resuming: u8, _: reserved(2), can: u32, must: u32,
  session: raw(SESSION_ID_BYTES), nonce: raw(NONCE_BYTES), window: u32, batch: u32,
})

/** `next`: the frame that the receiver wants next; `offset`: the bytes of the stream that it has verified; `token`: zero in a new session. */
const answer = struct(128, {
  magic: raw(8), minVersion: u16, maxVersion: u16, role: u8, resuming: u8, version: u16, can: u32, must: u32,
  session: raw(SESSION_ID_BYTES), nonce: raw(NONCE_BYTES), window: u32, batch: u32,
  next: count, offset: count, token: raw(NONCE_BYTES),
})

/** `names` of a hello: what the session is for, then the compressions on offer. Of a welcome: the compression chosen, if any. */
type WithNames<T> = T & { readonly names: readonly string[] }
export type Hello = WithNames<ValuesOf<typeof front.fields>>
export type Welcome = WithNames<ValuesOf<typeof answer.fields>>

export const hello: Codec<Hello> = withNames('hello', front)
export const welcome: Codec<Welcome> = withNames('welcome', answer)

/** Longest greeting, in bytes. */
export const GREETING_MAX = answer.size + NAMES_BYTES

function withNames<F extends Fields>(what: string, layout: Struct<F>): Codec<WithNames<ValuesOf<F>>> {
  return {
    decode: (bytes) => {
      if (bytes.length <= layout.size) throw bodySizeError(what, `more than ${layout.size} bytes`, bytes.length)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      return { ...layout.get(view, 0), names: decodeNames(bytes.subarray(layout.size)) }
    },
    encode: (value) => {
      const names = encodeNames(value.names)
      const bytes = new Uint8Array(layout.size + names.length)
      layout.set(new DataView(bytes.buffer), 0, value)
      bytes.set(names, layout.size)
      return bytes
    },
    toJson: (value) => ({ ...(layout.toJson(value) as { readonly [key: string]: Json }), names: value.names }),
    fromJson: (json) => {
      const { names } = (json ?? {}) as { readonly [key: string]: Json }
      if (!Array.isArray(names)) throw new SessionError('SESSION_MALFORMED', `a ${what} has names`)
      return { ...layout.fromJson(json), names: names.map(String) }
    },
  }
}
