import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'

/** Closes a channel as soon as the signal comes, so that nobody waits for a silent peer. @returns how to stop doing so. */
export function closeOnAbort(channel: Channel, signal: AbortSignalLike): () => void {
  const close = (): void => void channel.close()
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  return () => signal.removeEventListener('abort', close)
}
