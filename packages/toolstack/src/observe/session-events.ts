import { isXrError } from '@xen-replication/errors'
import type { SessionObserver } from '@xen-replication/session'
import type { Emit } from './fan-out.ts'

/** Passes on what a session tells of its link. */
export function tellSession(emit: Emit, url: string): SessionObserver {
  return (event) => {
    if (event.type === 'link-lost') {
      emit('link.down', { url, code: isXrError(event.error) ? event.error.code : undefined })
      if (event.waitMs > 0) emit('link.waiting', { url, why: 'lost', waitMs: event.waitMs })
    }
    if (event.type === 'link-back') emit('link.up', { url })
  }
}
