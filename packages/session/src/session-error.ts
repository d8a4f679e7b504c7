import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of a session means; `docs/errors.md` is made from it. */
export const sessionCodes = {
  SESSION_NOT_XR: 'The peer does not speak the protocol of two xr.',
  SESSION_VERSION: 'The two sides have no version of the protocol in common.',
  SESSION_ROLE: 'Both sides want to send, or they were started for different purposes.',
  SESSION_CAPABILITY: 'One side insists on something that the other cannot do.',
  SESSION_MALFORMED: 'A frame does not follow its layout.',
  SESSION_TOO_LARGE: 'A frame announces more bytes than the limit for its type.',
  SESSION_UNKNOWN_FRAME: 'A frame of unknown type came that may not be passed over.',
  SESSION_UNEXPECTED: 'A frame came from the wrong side, at the wrong time or out of order.',
  SESSION_DAMAGED: 'Bytes were changed on their way: a checksum does not fit.',
  SESSION_DIGEST: 'The digest of the whole transfer does not fit what was received.',
  SESSION_WINDOW: 'The peer sent more than it was allowed to before an answer.',
  SESSION_TOKEN: 'Somebody wants to go on with a session and cannot prove to be its peer.',
  SESSION_GONE: 'The peer knows nothing of the session, or what it lacks is no longer kept.',
  SESSION_BUSY: 'The peer is in the middle of another session.',
  SESSION_PEER_ABORTED: 'The peer gave up and said why.',
  SESSION_GIVEN_BACK: 'The peer could not take the guest; its copy is destroyed for good.',
  SESSION_UNDECIDED: 'The link broke during the hand-over: the guest may run on the other side, so it stays suspended on this one.',
  SESSION_LEFT_OVER: 'A copy of the guest that must not run any more could not be destroyed.',
  SESSION_CLOSED: 'The session was closed and then used again.',
  SESSION_OPTION: 'An option of a session has a value that is not allowed.',
  SESSION_COMPRESSION: 'The compression asked for is not available here or at the peer.',
  SESSION_PART: 'The part of a transfer that is already there cannot be gone on with.',
} as const

export type SessionErrorCode = keyof typeof sessionCodes

/** What to do next, unless an error knows better. */
const hints: Readonly<Record<SessionErrorCode, string>> = {
  SESSION_NOT_XR: 'the other side must run `xr receive`; for xl use --peer xl here or --xl there',
  SESSION_VERSION: 'use the same version of xr on both sides',
  SESSION_ROLE: '`xr migrate` (or remus, colo) sends to `xr receive`; `xr send` and `xr save --peer xr` to `xr receive --to FILE`',
  SESSION_CAPABILITY: 'use the same version and plugins on both sides',
  SESSION_MALFORMED: 'use the same version of xr on both sides; report this if they are',
  SESSION_TOO_LARGE: 'use the same version of xr on both sides; if they are, somebody else is talking',
  SESSION_UNKNOWN_FRAME: 'use the same version of xr on both sides',
  SESSION_UNEXPECTED: 'use the same version of xr on both sides; report this if they are',
  SESSION_DAMAGED: 'the network or a proxy alters bytes; use tls: or ssh:, and try again',
  SESSION_DIGEST: 'nothing of what was received may be used; try again, over tls: or ssh:',
  SESSION_WINDOW: 'use the same version of xr on both sides; report this if they are',
  SESSION_TOKEN: 'somebody else connects to the address; use tls: or ssh:',
  SESSION_GONE: 'start the transfer anew',
  SESSION_BUSY: 'try again when that is over, or use another address',
  SESSION_PEER_ABORTED: 'look at the output of xr on the other host',
  SESSION_GIVEN_BACK: 'the guest is on this host as before; look at the output of xr on the other host',
  SESSION_UNDECIDED: 'look on the other host: if the guest runs there destroy it here, if it does not, destroy it there and resume it here; never both',
  SESSION_LEFT_OVER: 'destroy the copy by hand before anything else',
  SESSION_CLOSED: 'report this',
  SESSION_OPTION: 'see `xr help migrate`',
  SESSION_COMPRESSION: 'use --compress auto or none',
  SESSION_PART: 'remove the part and start anew',
}

/** Two xr could not come to an end together as they should. */
export class SessionError extends XrError<SessionErrorCode> {
  override readonly name = 'SessionError'

  constructor(code: SessionErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, { hint: hints[code], ...detail })
  }
}
