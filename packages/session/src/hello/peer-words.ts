import type { Reason } from '../frame/reason.ts'
import { SessionError } from '../session-error.ts'

/** The error that a peer's `abort` amounts to. */
export const peerAborted = ({ code, message }: Reason): SessionError => new SessionError('SESSION_PEER_ABORTED', `the peer gave up: ${code}: ${message}`)

/** The error that a peer's `given-back` amounts to. */
export const givenBack = ({ code, message }: Reason): SessionError => new SessionError('SESSION_GIVEN_BACK', `the peer gives the guest back: ${code}: ${message}`)
