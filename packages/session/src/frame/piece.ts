import { fromHex, toHex, type Codec } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'

/** Longest piece, in bytes. */
export const PIECE_MAX = 64 * 1024

/** Bytes of a stream from the receiver to the sender, wherever it happens to be cut. What is decoded holds on to the body. */
export const piece: Codec<Uint8Array> = {
  decode: (bytes) => bytes,
  encode: (bytes) => bytes,
  toJson: (bytes) => toHex(bytes),
  fromJson: (json) => {
    const bytes = typeof json === 'string' ? fromHex(json) : undefined
    if (bytes === undefined) throw new SessionError('SESSION_MALFORMED', 'bytes in hex wanted')
    return bytes
  },
}
