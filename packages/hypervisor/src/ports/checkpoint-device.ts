/**
 * A device whose effects on the outside wait for checkpoints: a NIC whose packets are held back, a disk whose writes are.
 * Epochs count from 0; epoch n ends when the guest is suspended for checkpoint n.
 */
export interface CheckpointDevice {
  readonly name: string
  /** `network`, `disk`: what users can choose not to hold back, each by itself. `guest`: that it runs at all, which must not go on when nobody is left to protect it. */
  readonly kind: 'network' | 'disk' | 'guest'
  /**
   * `stored`: what the guest does goes to the other half at once, so it has to stand from `postsuspend` until the backup has the epoch; `preresume` comes
   * only then. Left out: it may go on as soon as its memory is copied.
   */
  readonly standsUntil?: 'stored' | undefined
  /** @param session names the pair; the other half gets the same. Left out where nobody is told of it. */
  setup(session?: string): Promise<void>
  /** The guest is suspended: epoch `epoch` ends here, what comes later belongs to the next. */
  postsuspend(epoch: number): Promise<void>
  /** The guest is about to go on. */
  preresume(epoch: number): Promise<void>
  /** The backup has acknowledged `epoch`: its effects, and no later ones, may be seen. */
  commit(epoch: number): Promise<void>
  /** How many effects wait to be seen, of all epochs; 0 where the device cannot tell. */
  waiting(): Promise<number>
  /** Undoes `setup()`. `release`: let go what is held; `drop`: it must never be seen. */
  teardown(held: 'release' | 'drop'): Promise<void>
}
