import type { ByteSource } from '@xen-replication/format'
import { LinkError, type Channel } from '@xen-replication/plugin-api'
import { leadsToPeer } from './redial.ts'

/**
 * The bytes of an image that says itself where it ends: of a channel that ends before, the peer is lost.
 *
 * @throws as `Channel.read()`; LinkError LINK_LOST
 */
export function fromPeer(channel: Channel, url: string): ByteSource {
  if (!leadsToPeer(url)) return channel
  const given = (bytes: Uint8Array | undefined): Uint8Array => bytes ?? lost(url)
  return {
    read: (max) => {
      const bytes = channel.read(max)
      return bytes instanceof Promise ? bytes.then(given) : given(bytes)
    },
  }
}

function lost(url: string): never {
  throw new LinkError('LINK_LOST', `${url}: the connection ended before the image did`, { hint: 'the sender stopped early; look at its output' })
}
