import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, GuestForSave } from '@xen-replication/hypervisor'
import { openImageSaver, type PrecopyPolicy, type SaveOptions } from '@xen-replication/libxc-stream'
import { openStreamWriter } from '@xen-replication/libxl-stream'
import { tellSave } from '../observe/engine-events.ts'
import type { Operation } from './operation.ts'

/** `as-xen`: an image is byte for byte what Xen's own tools write. `left-out`: it has no entries for holes of the guest's memory. */
export type Holes = NonNullable<SaveOptions['holes']>

export interface WriteGuestOptions {
  readonly mode: 'stopped' | 'live'
  /** Sends all memory twice, for the other side to compare. Live only. */
  readonly verify?: boolean | undefined
  readonly policy?: PrecopyPolicy | undefined
  /** Whether holes of its memory have entries. Default `as-xen`. */
  readonly holes?: Holes | undefined
}

/** The part of an operation that saving takes. */
export type Saving = Pick<Operation, 'emit' | 'now'> & { readonly signal: AbortSignalLike }

/**
 * Writes a guest as one libxl stream. It stands suspended afterwards, whether that worked or not, unless it failed before.
 *
 * @returns when it was suspended, by the operation's clock.
 * @throws SaveError, StreamError, BackendError; what the sink throws
 */
export async function writeGuest(guest: GuestForSave, sink: ByteSink, { emit, now, signal }: Saving, options: WriteGuestOptions): Promise<{ readonly stoodAt: number }> {
  const saver = await openImageSaver(guest, { ...options, signal, observe: tellSave(emit, now) })
  try {
    const writer = openStreamWriter(guest, saver)
    await writer.begin(sink)
    await saver.stop()
    const stoodAt = now()
    await writer.finish(sink)
    return { stoodAt }
  } finally {
    await saver.close()
  }
}
