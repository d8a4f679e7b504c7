import { isXrError } from '@xen-replication/errors'
import { isLinkLost } from '@xen-replication/plugin-api'

/** The event that an error of a session or of a guest amounts to. */
export function eventOf(error: unknown): 'peer-lost' | 'given-back' | 'failed' {
  if (isLinkLost(error)) return 'peer-lost'
  return isXrError(error) && error.code === 'SESSION_GIVEN_BACK' ? 'given-back' : 'failed'
}
