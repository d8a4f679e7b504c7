import { LinkError, type AbortSignalLike, type Clock } from '@xen-replication/plugin-api'

/**
 * Does something that may take a time, and gives up waiting for it afterwards. What is given up goes on: the caller closes what it works on.
 *
 * @param what it is, for the message: `the greeting`.
 * @throws LinkError LINK_TIMEOUT; whatever `work` throws
 */
export async function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = clock.sleep(ms, over.signal).then(() => {
    throw new LinkError('LINK_TIMEOUT', `${what} did not come within ${ms} ms`, { hint: 'look whether the other host and the network are well' })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    late.catch(() => undefined)
    work.catch(() => undefined)
    over.abort()
  }
}

/** A promise that fails when the signal aborts, and never comes otherwise; `done` ends the listening. */
export function aborted(signal: AbortSignalLike): { readonly failure: Promise<never>; done(): void } {
  let listener = (): void => undefined
  const failure = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason }))
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
  })
  failure.catch(() => undefined)
  return { failure, done: () => signal.removeEventListener('abort', listener) }
}

/** How long to wait for the peer to let go after the last word, in ms: as `xl` waits for its child. */
const LINGER_MS = 2_000

/** Waits for a while for something at the end that does not matter any more. Never fails. */
export async function linger(clock: Clock, work: Promise<void>): Promise<void> {
  await within(clock, LINGER_MS, 'the end', work).catch(() => undefined)
}
