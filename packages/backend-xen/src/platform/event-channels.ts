import type { AbortSignalLike } from '@xen-replication/hypervisor'

/** One event channel that is bound to a guest's. */
export interface EventChannel {
  /** Tells the other end. @throws BackendError BACKEND_HOST */
  notify(): void
  /**
   * Waits for the other end, and makes ready to hear it again.
   *
   * @returns whether it was heard within `ms` milliseconds.
   * @throws BackendError BACKEND_HOST; the signal's reason
   */
  heard(ms: number, signal?: AbortSignalLike): Promise<boolean>
  /** Unbinds; may be called twice. */
  close(): void
}

/** Event channels towards other domains. */
export interface EventChannels {
  /** @throws BackendError BACKEND_HOST when the guest has no such port or it is bound already. */
  bind(domId: number, port: number): EventChannel
  /**
   * Keeps others from suspending the guest over its event channel meanwhile, as libxl does.
   *
   * @returns what lets them again.
   * @throws BackendError BACKEND_STATE when somebody else is at it; BACKEND_HOST
   */
  lockSuspend(domId: number): () => void
  close(): void
}
