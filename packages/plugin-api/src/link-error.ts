import { isXrError, XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of a link means; `docs/errors.md` is made from it. */
export const linkCodes = {
  LINK_LOST: 'The peer is gone: bytes can no longer be delivered, or come no more.',
  LINK_REFUSED: 'Nobody answers at the address, or whoever does will not let us in.',
  LINK_TIMEOUT: 'The peer did not answer in time.',
  LINK_CLOSED: 'The link was closed or ended on this side and then used again.',
  LINK_ONE_WAY: 'The link carries bytes in one direction and was asked for the other.',
  LINK_ADDRESS: 'The URL of a link is malformed, or what it names cannot be used.',
  LINK_IO: 'A file or descriptor behind a link failed: no space, no permission, a bad disk.',
} as const

export type LinkErrorCode = keyof typeof linkCodes

/** A link to a peer could not be made, or broke. */
export class LinkError extends XrError<LinkErrorCode> {
  override readonly name = 'LinkError'

  constructor(code: LinkErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}

/** The peer is gone or silent: what a strategy answers with its event for a lost link. */
export function isLinkLost(error: unknown): error is XrError {
  return isXrError(error) && (error.code === 'LINK_LOST' || error.code === 'LINK_TIMEOUT')
}
