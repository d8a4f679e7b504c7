import type { AbortSignalLike } from '@xen-replication/hypervisor'

/** Two ends of a byte pipe, or one. */
export interface Channel {
  /**
   * Sends bytes in order. Resolves when they may be reused, not when they have arrived.
   *
   * @throws XrError LINK_LOST once the peer is gone.
   */
  write(parts: readonly Uint8Array[]): Promise<void>
  /**
   * @param max most bytes wanted, at least 1. A channel never gives more, so the next reader finds the next byte.
   * @returns 1 to `max` bytes, valid until the next call; undefined once the peer has ended its side.
   * @throws XrError LINK_LOST
   */
  read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** Says that nothing more will be written and waits until all of it is on its way. */
  end(): Promise<void>
  /** Lets go at once; reads and writes under way fail. May be called twice. */
  close(): Promise<void>
}

/** Waits for peers at an address. */
export interface Listener {
  /** The address peers can dial, with whatever was chosen for it (a free port, for instance). */
  readonly url: string
  accept(signal: AbortSignalLike): Promise<Channel>
  close(): Promise<void>
}

/** A way for streams to travel. */
export interface Transport {
  /** Both ways at once; a file has one. */
  readonly duplex: boolean
  /** @throws XrError LINK_REFUSED */
  dial(url: string, signal: AbortSignalLike): Promise<Channel>
  /** The receiving side. @throws XrError LINK_REFUSED */
  listen(url: string, signal: AbortSignalLike): Promise<Listener>
}
