import type { Codec } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'
import { decodeNames, encodeNames, NAMES_BYTES } from './names.ts'

/** Longest word, in bytes. */
export const WORD_MAX = NAMES_BYTES

/** One name: a message of a strategy has no more than that. */
export const word: Codec<string> = {
  decode: (bytes) => {
    const [name, ...others] = decodeNames(bytes)
    if (name === undefined || others.length > 0) throw new SessionError('SESSION_MALFORMED', 'one word wanted')
    return name
  },
  encode: (name) => encodeNames([name]),
  toJson: (name) => name,
  fromJson: (json) => {
    if (typeof json !== 'string') throw new SessionError('SESSION_MALFORMED', 'a word wanted')
    return json
  },
}
