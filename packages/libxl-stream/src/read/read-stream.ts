import type { StreamRestorer, StreamStop } from './stream-restorer.ts'

export interface ReadStreamOptions {
  /** Called when a checkpoint has become part of the guest, before more is read: the moment to acknowledge it. */
  readonly checkpointed?: ((epoch: number) => Promise<void>) | undefined
}

/**
 * Reads a plain or Remus stream for as long as it goes on. At its end the guest is complete; after a `failover` it is the caller
 * who decides whether to take over, and calls `complete()` or `close()`.
 *
 * @throws RestoreError, BackendError; the guest is closed then. What `checkpointed` throws; the guest is as it was then.
 */
export async function readStream(restorer: StreamRestorer, { checkpointed }: ReadStreamOptions = {}): Promise<Exclude<StreamStop, { why: 'checkpoint' }>> {
  for (;;) {
    const stop = await restorer.read()
    if (stop.why === 'end') await restorer.complete()
    if (stop.why !== 'checkpoint') return stop
    await checkpointed?.(stop.epoch)
  }
}
