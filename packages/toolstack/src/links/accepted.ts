import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'
import type { Links } from './links.ts'

/** Waits at a URL for one peer, and lets nobody in after it. @throws as `Links.listen()` and `Listener.accept()` */
export async function accepted(links: Links, url: string, signal: AbortSignalLike): Promise<Channel> {
  const listener = await links.listen(url, signal)
  try {
    return await listener.accept(signal)
  } finally {
    await listener.close()
  }
}
