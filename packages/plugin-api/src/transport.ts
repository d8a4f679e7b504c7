import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { LinkError } from './link-error.ts'

/**
 * One end of a byte pipe. Reads and writes may be under way at once, but one of each at a time: the caller waits for a write before the next.
 */
export interface Channel {
  /**
   * Sends bytes in order. Resolves when they may be reused, not when they have arrived.
   *
   * @throws XrError LINK_LOST once the peer is gone, LINK_CLOSED after `end()` or `close()`, LINK_ONE_WAY
   */
  write(parts: readonly Uint8Array[]): Promise<void>
  /**
   * @param max most bytes wanted, at least 1. A channel never gives more, so the next reader finds the next byte.
   * @returns 1 to `max` bytes, valid until the next call; undefined once the peer has ended its side properly, from then on always. What bytes
   *   there are is given at once, without a promise.
   * @throws XrError LINK_LOST, LINK_CLOSED after `close()`, LINK_ONE_WAY
   */
  read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /**
   * Says that nothing more will be written and waits until all of it is on its way: given to the network, or safely in the file. Reading goes on
   * where the transport is duplex. May be called twice.
   *
   * @throws XrError LINK_LOST
   */
  end(): Promise<void>
  /** Lets go at once; reads and writes under way fail with LINK_CLOSED. What was not ended may be lost. Never fails; may be called twice. */
  close(): Promise<void>
}

/** Waits for peers at an address. */
export interface Listener {
  /** The address peers can dial, with whatever was chosen for it (a free port, for instance). */
  readonly url: string
  /**
   * @param signal ends the waiting, not the channel it led to.
   * @throws the reason of `signal`; XrError LINK_CLOSED after `close()`, LINK_REFUSED where there is one peer only and it was taken
   */
  accept(signal: AbortSignalLike): Promise<Channel>
  /** Lets nobody in any more; channels that were accepted live on. May be called twice. */
  close(): Promise<void>
}

/** A way for streams to travel. URLs come from the user, never from a stream. */
export interface Transport {
  /** Both ways at once; a file has one: who dials writes, who listens reads. */
  readonly duplex: boolean
  /**
   * @param signal ends the attempt, not the channel it led to.
   * @throws the reason of `signal`; XrError LINK_REFUSED, LINK_TIMEOUT, LINK_ADDRESS
   */
  dial(url: string, signal: AbortSignalLike): Promise<Channel>
  /** The receiving side. @throws as `dial` */
  listen(url: string, signal: AbortSignalLike): Promise<Listener>
}

/**
 * The part of a URL that chooses its transport: `tcp` of `tcp://host:1`.
 *
 * @throws LinkError LINK_ADDRESS when there is none.
 */
export function schemeOf(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(url)?.[1]
  if (scheme === undefined) throw new LinkError('LINK_ADDRESS', `'${url}' is not a URL`, { hint: 'write file:PATH, tcp://HOST:PORT, ssh://HOST or the like' })
  return scheme
}

/**
 * Ends a channel properly and waits for the other end to do the same, so that errors there are seen: a command that fails, a peer that dies
 * with the last bytes unread. What the peer still sends is thrown away.
 *
 * @throws XrError LINK_LOST
 */
export async function finish(channel: Channel): Promise<void> {
  await channel.end()
  while ((await channel.read(65_536)) !== undefined);
}
