import type { ByteSink } from '@xen-replication/format'
import type { GuestForSave } from '@xen-replication/hypervisor'
import { openImageSaver, type SaveOptions } from '@xen-replication/libxc-stream'
import { openStreamWriter } from './stream-writer.ts'

/** How a guest is saved once. */
export interface WriteStreamOptions extends SaveOptions {
  readonly mode: 'stopped' | 'live'
}

/**
 * Saves a guest as one libxl stream. It stands suspended afterwards, whether that worked or not, unless it failed before; what
 * the save changed is undone.
 *
 * @throws StreamError, SaveError, BackendError; what the sink throws
 */
export async function writeStream(guest: GuestForSave, sink: ByteSink, options: WriteStreamOptions): Promise<void> {
  const saver = await openImageSaver(guest, options)
  try {
    const writer = openStreamWriter(guest, saver)
    await writer.begin(sink)
    await writer.finish(sink)
  } finally {
    await saver.close()
  }
}
