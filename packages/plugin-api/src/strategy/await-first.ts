import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { EffectPorts } from './strategy.ts'

/** How long to wait before the arbiter is asked again, in milliseconds. */
const ASK_AGAIN_MS = 1000

/** What an operator may ask for, as the event that it is. */
export type Asked = 'stop' | 'failover'

/** Something that may end a waiting; it gives up when its signal aborts. */
export type Waiting<E> = (signal: AbortSignalLike) => Promise<E>

/**
 * What comes first: the time, a word of the operator, or something else that is waited for. What is not first is given up. A word that is there already
 * comes before anything else: who has to do with something new all the time would never hear it.
 *
 * @param ms the longest waiting; below 0 as 0.
 * @param event what to yield when the time is over.
 * @throws the reason of `ports.signal`; what fails first
 */
export async function awaitFirst<E extends string>(ports: Pick<EffectPorts, 'clock' | 'signal' | 'request' | 'requested'>, ms: number, event: E, ...others: readonly Waiting<E>[]): Promise<E | Asked> {
  const { clock, signal } = ports
  const asked = ports.request()
  if (asked !== undefined) return askedOf(asked)
  const over = new Ending()
  const stop = (): void => over.abort(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const word = ports.requested(over).then(askedOf)
  const time = clock.sleep(Math.max(0, ms), over).then(() => event)
  const all: readonly Promise<E | Asked>[] = [word, ...others.map((wait) => wait(over)), time]
  try {
    return await Promise.race(all)
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort(new Error('the waiting is over'))
    for (const pending of all) pending.catch(() => undefined)
  }
}

const askedOf = (request: string): Asked => (request === 'failover' ? 'failover' : 'stop')

/** An effect that waits until the arbiter may be asked once more, or the operator decides. */
export function wordWait(ports: EffectPorts): () => Promise<'again' | Asked> {
  return () => awaitFirst(ports, ASK_AGAIN_MS, 'again')
}

/** A signal and what sets it off; this package has no types of a platform. */
class Ending implements AbortSignalLike {
  aborted = false
  reason: unknown
  readonly #listeners = new Set<() => void>()

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}
