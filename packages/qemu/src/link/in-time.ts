import { LinkError, type AbortSignalLike, type Clock } from '@xen-replication/plugin-api'

/** How long to wait, and for whom. */
export interface Patience {
  readonly clock: Clock
  /** In milliseconds; undefined for ever. */
  readonly ms: number | undefined
  readonly signal: AbortSignalLike
  /** What is said where it takes longer: `the primary said nothing`. */
  readonly otherwise: string
}

/**
 * Waits for work, but not for longer than it may take. The work itself goes on; what becomes of it is passed over.
 *
 * @throws LinkError LINK_TIMEOUT; the reason of `signal`; what the work throws
 */
export async function inTime<T>(work: Promise<T>, { clock, ms, signal, otherwise }: Patience): Promise<T> {
  const over = new AbortController()
  const stop = (): void => over.abort(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const late = tooLate({ clock, ms, signal, otherwise }, over.signal)
  try {
    return await Promise.race([work, late])
  } finally {
    work.catch(() => undefined)
    late.catch(() => undefined)
    signal.removeEventListener('abort', stop)
    over.abort()
  }
}

async function tooLate({ clock, ms, signal, otherwise }: Patience, over: AbortSignal): Promise<never> {
  await (ms === undefined ? once(over) : clock.sleep(ms, over).catch(() => undefined))
  if (signal.aborted || ms === undefined) throw signal.reason
  throw new LinkError('LINK_TIMEOUT', `${otherwise} for ${ms} ms`, { hint: 'look whether its QEMU and the network are well' })
}

const once = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
