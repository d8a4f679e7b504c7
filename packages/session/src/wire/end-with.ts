import type { AbortSignalLike } from '@xen-replication/plugin-api'
import type { Session } from '../session.ts'

/** Has a session fail when a signal aborts, with its reason. @returns how to stop listening. */
export function endWith(session: Session, signal: AbortSignalLike | undefined): () => void {
  const stop = (): void => session.fail(signal?.reason)
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  return () => signal?.removeEventListener('abort', stop)
}
