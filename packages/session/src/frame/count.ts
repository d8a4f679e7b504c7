import type { Field } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'

const HIGH = 2 ** 32

/** 64 bits that count bytes, pages or frames: a number, because nobody gets to 2^53 of them. */
export const count: Field<number> = {
  size: 8,
  get: (view, at) => {
    const value = view.getUint32(at, true) + HIGH * view.getUint32(at + 4, true)
    if (!Number.isSafeInteger(value)) throw new SessionError('SESSION_MALFORMED', 'a count is beyond 2^53')
    return value
  },
  set: (view, at, value) => {
    view.setUint32(at, value % HIGH, true)
    view.setUint32(at + 4, Math.floor(value / HIGH), true)
  },
  toJson: (value) => value,
  fromJson: (json) => {
    if (typeof json === 'number' && Number.isSafeInteger(json) && json >= 0) return json
    throw new SessionError('SESSION_MALFORMED', `a count wanted, ${JSON.stringify(json) ?? 'nothing'} found`)
  },
}
