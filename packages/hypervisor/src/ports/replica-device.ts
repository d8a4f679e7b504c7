import type { AbortSignalLike } from './clock.ts'

/**
 * The backup's half of a device whose effects are kept there, too: a disk. It goes with memory: an epoch is acknowledged when both are safe, and whoever
 * takes over finds both as of the same epoch. Epochs count as with `CheckpointDevice`.
 */
export interface ReplicaDevice {
  readonly name: string
  readonly kind: 'disk'
  /** Begins to take what the primary's half sends. @param session both halves get the same. */
  setup(session: string): Promise<void>
  /** Resolves once all effects of the epoch are here. Nothing has changed yet: the epoch may still be forgotten. @throws the reason of `signal`, which aborts when the primary is lost */
  received(epoch: number, signal: AbortSignalLike): Promise<void>
  /** Makes the epoch what `promote` goes back to; it is safe when this is done. */
  store(epoch: number): Promise<void>
  /**
   * Makes the device what it was at the end of `epoch`, the last that was stored; what came later is gone.
   *
   * @param token the fencing token under which it is taken over: writers under an earlier one are refused from now on, where the device can tell them.
   */
  promote(epoch: number, token: bigint): Promise<void>
  /** Gives everything back; what is here and was not promoted is of no use any more. May be called twice. */
  teardown(): Promise<void>
}
