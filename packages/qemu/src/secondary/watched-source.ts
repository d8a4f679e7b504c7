import type { ByteSource } from '@xen-replication/format'
import { LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'

/** How long to wait for the next bytes, in milliseconds; undefined for ever. */
export type Patience = () => number | undefined

/**
 * The bytes of a channel; a peer that is silent for too long is taken for lost, which the peers of COLO themselves never do.
 *
 * @throws LinkError LINK_TIMEOUT; the reason of `signal`; what the channel throws
 */
export function watchedSource(channel: Channel, clock: Clock, patience: Patience, signal: AbortSignalLike): ByteSource {
  return {
    read: (max) => {
      if (signal.aborted) throw signal.reason
      const bytes = channel.read(max)
      return bytes instanceof Promise ? soonEnough(bytes, clock, patience(), signal) : bytes
    },
  }
}

async function soonEnough<T>(work: Promise<T>, clock: Clock, ms: number | undefined, signal: AbortSignalLike): Promise<T> {
  const over = new AbortController()
  const stop = (): void => over.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const late = tooLate(clock, ms, over.signal, signal)
  try {
    return await Promise.race([work, late])
  } finally {
    work.catch(() => undefined)
    late.catch(() => undefined)
    signal.removeEventListener('abort', stop)
    over.abort()
  }
}

async function tooLate(clock: Clock, ms: number | undefined, over: AbortSignal, signal: AbortSignalLike): Promise<never> {
  await (ms === undefined ? once(over) : clock.sleep(ms, over).catch(() => undefined))
  if (signal.aborted || ms === undefined) throw signal.reason
  throw new LinkError('LINK_TIMEOUT', `the primary said nothing for ${ms} ms`, { hint: 'look whether its QEMU and the network are well' })
}

const once = (signal: AbortSignal): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
