import { ByteReader, type ByteSink } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'

/** Where an engine writes to; `bytes` tells how many it was. */
export function countingSink(channel: Channel): ByteSink & { readonly bytes: number } {
  let bytes = 0
  return {
    write: async (parts) => {
      await channel.write(parts)
      for (const { length } of parts) bytes += length
    },
    get bytes() {
      return bytes
    },
  }
}

/** What an engine reads from. */
export const readerOver = (channel: Channel): ByteReader => new ByteReader({ read: (max) => channel.read(max) })

/** Closes a channel as soon as the signal comes, so that nobody waits for a silent peer. @returns how to stop doing so. */
export function closeOnAbort(channel: Channel, signal: AbortSignalLike): () => void {
  const close = (): void => void channel.close()
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  return () => signal.removeEventListener('abort', close)
}
