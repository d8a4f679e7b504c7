import type { ByteSource } from '@xen-replication/format'
import type { AbortSignalLike, Channel, Clock } from '@xen-replication/plugin-api'
import { inTime } from './in-time.ts'

/** Who is listened to, and how patiently. */
export interface Listening {
  readonly clock: Clock
  readonly signal: AbortSignalLike
  readonly peer: 'primary' | 'secondary'
  /** How long to wait for the next bytes, in milliseconds; undefined for ever. */
  readonly patience: () => number | undefined
}

/**
 * The bytes of a channel; a peer that is silent for too long is taken for lost, which the peers of COLO themselves never do.
 *
 * @throws LinkError LINK_TIMEOUT; the reason of `signal`; what the channel throws
 */
export function watchedSource(channel: Channel, { clock, signal, peer, patience }: Listening): ByteSource {
  return {
    read: (max) => {
      if (signal.aborted) throw signal.reason
      const bytes = channel.read(max)
      return bytes instanceof Promise ? inTime(bytes, { clock, ms: patience(), signal, otherwise: `the ${peer} said nothing` }) : bytes
    },
  }
}
