import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of a replication protocol means; `docs/errors.md` is made from it. */
export const replCodes = {
  REPL_UNEXPECTED_EVENT: 'Something happened, or the peer said something, that the protocol does not allow at this point.',
  REPL_NO_EVENT: 'A strategy did all it had to do in a state and nothing tells how to go on.',
  REPL_UNKNOWN_EFFECT: 'A strategy asks for something that nobody knows how to do.',
  REPL_OPTION: 'An option of a strategy has a value that is not allowed.',
} as const

export type ReplErrorCode = keyof typeof replCodes

/** A replication protocol was not followed, by the peer or by the strategy itself. */
export class ReplError extends XrError<ReplErrorCode> {
  override readonly name = 'ReplError'

  constructor(code: ReplErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
