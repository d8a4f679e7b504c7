import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of the helper means; `docs/errors.md` is made from it. */
export const helperCodes = {
  HELPER_USAGE: 'The helper was not started the way libxl starts it.',
  HELPER_UNSUPPORTED: 'libxl asks for something that cannot be done for this guest, on this host or by this helper.',
  HELPER_PROTOCOL: 'The conversation with libxl broke off, or was not one.',
  HELPER_REFUSED: 'libxl says that its part of a step failed.',
  HELPER_STREAM: 'The stream could not be read or written.',
} as const

export type HelperErrorCode = keyof typeof helperCodes

/** A save or restore that cannot go on, for a reason outside the engines. */
export class HelperError extends XrError<HelperErrorCode> {
  override readonly name = 'HelperError'

  constructor(code: HelperErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
