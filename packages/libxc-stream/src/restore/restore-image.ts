import type { ByteReader } from '@xen-replication/format'
import type { GuestForRestore } from '@xen-replication/hypervisor'
import { openImageRestorer, type RestoreOptions, type Segment } from './image-restorer.ts'
import { StreamFeed } from './stream-feed.ts'

/**
 * Restores a libxc image that no other layer is around, and completes the guest: at its END, or as of its last checkpoint where
 * it ends behind one. The guest stays paused.
 *
 * @returns how the image ended.
 * @throws RestoreError, BackendError; the guest is closed then.
 */
export async function restoreImage(reader: ByteReader, guest: GuestForRestore, options: RestoreOptions): Promise<Exclude<Segment, { why: 'checkpoint' }>> {
  try {
    return await restoreAll(reader, guest, options)
  } catch (error) {
    await guest.close().catch(() => undefined) // what went wrong first is what matters
    throw error
  }
}

async function restoreAll(reader: ByteReader, guest: GuestForRestore, options: RestoreOptions): Promise<Exclude<Segment, { why: 'checkpoint' }>> {
  const restorer = await openImageRestorer(guest, options)
  const feed = new StreamFeed(reader, options)
  for (;;) {
    const segment = await restorer.readSegment(feed)
    if (segment.why === 'checkpoint') await restorer.apply()
    else {
      await guest.complete(await restorer.complete())
      restorer.close()
      return segment
    }
  }
}
