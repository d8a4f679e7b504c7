import { type Codec, type Json } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'
import { asciiOf, plainText } from './text.ts'

/** Why somebody gives up: a code to match on, words for people. */
export interface Reason {
  readonly code: string
  readonly message: string
}

const CODE_MAX = 64
const MESSAGE_MAX = 1024
/** Longest body of a frame that holds a reason, in bytes. */
export const REASON_MAX = 1 + CODE_MAX + MESSAGE_MAX

/** u8 length of the code, the code, then the message to the end of the frame; ASCII both. */
export const reason: Codec<Reason> = {
  decode: (bytes) => {
    const length = bytes[0]
    if (length === undefined || length > CODE_MAX || bytes.length > REASON_MAX || bytes.length < 1 + length) {
      throw new SessionError('SESSION_MALFORMED', `a reason of ${bytes.length} bytes does not fit its layout`)
    }
    const code = plainText(bytes.subarray(1, 1 + length))
    return { code: /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'UNKNOWN', message: plainText(bytes.subarray(1 + length)) }
  },
  encode: ({ code, message }) => {
    const codeBytes = asciiOf(code, CODE_MAX)
    return Uint8Array.from([codeBytes.length, ...codeBytes, ...asciiOf(message, MESSAGE_MAX)])
  },
  toJson: ({ code, message }) => ({ code, message }),
  fromJson: (json) => {
    const { code, message } = (json ?? {}) as { readonly [key: string]: Json }
    if (typeof code !== 'string' || typeof message !== 'string') throw new SessionError('SESSION_MALFORMED', 'a reason has a code and a message')
    return { code, message }
  },
}

/** The reason that an error amounts to. */
export function reasonOf(error: unknown): Reason {
  const code = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  return { code, message: error instanceof Error ? error.message : String(error) }
}
