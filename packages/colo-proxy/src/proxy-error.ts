import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of the dialogue with colo-compare means; `docs/errors.md` is made from it. */
export const proxyCodes = {
  PROXY_LOST: 'The QEMU that compares a guest’s packets is gone.',
  PROXY_TIMEOUT: 'The QEMU that compares a guest’s packets did not answer in time.',
  PROXY_MALFORMED: 'What came from a notify_dev is not what colo-compare says.',
  PROXY_CLOSED: 'The link to colo-compare was closed on this side and then used again.',
} as const

export type ProxyErrorCode = keyof typeof proxyCodes

/** The comparing of packets in a QEMU cannot go on. */
export class ProxyError extends XrError<ProxyErrorCode> {
  override readonly name = 'ProxyError'

  constructor(code: ProxyErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
