import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of an arbiter means; `docs/errors.md` is made from it. */
export const arbiterCodes = {
  ARBITER_ADDRESS: 'The URL of an arbiter is malformed, or what it names cannot be used.',
  ARBITER_UNREACHABLE: 'The arbiter cannot be asked: nobody answers, or whoever does will not let us in.',
  ARBITER_STORAGE: 'The storage behind an arbiter failed or cannot do what is needed.',
  ARBITER_DAMAGED: 'What the arbiter keeps about a guest makes no sense.',
  ARBITER_CLAIM: 'A guest or session has a name that the arbiter cannot keep.',
  ARBITER_SLOW: 'The arbiter did not answer in time.',
  ARBITER_CLOSED: 'The arbiter was closed and then asked.',
} as const

export type ArbiterErrorCode = keyof typeof arbiterCodes

/** An arbiter cannot be used. A question that fails is no error but an unknown answer. */
export class ArbiterError extends XrError<ArbiterErrorCode> {
  override readonly name = 'ArbiterError'

  constructor(code: ArbiterErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
