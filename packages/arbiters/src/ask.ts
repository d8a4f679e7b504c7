import type { AbortSignalLike, Verdict } from '@xen-replication/plugin-api'
import { ArbiterError } from './arbiter-error.ts'

/** How long to wait for an answer and when to stop waiting. */
export interface Patience {
  readonly signal: AbortSignalLike
  readonly timeoutMs: number
}

/** What came of a question. */
export type Answer<T> = { readonly said: T } | { readonly trouble: string }

/**
 * Asks and waits no longer than allowed.
 *
 * @param question gets a signal that aborts when nobody waits any more.
 * @throws the reason of `signal`; ArbiterError ARBITER_SLOW; whatever the question throws
 */
export async function requireAnswer<T>(patience: Patience, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  try {
    return await limited(patience, () => question(stop.signal))
  } finally {
    stop.abort(new ArbiterError('ARBITER_CLOSED', 'nobody waits for the answer any more'))
  }
}

/** As `requireAnswer`, but whatever goes wrong is trouble, which is told and no error. @throws the reason of `signal` */
export async function ask<T>(patience: Patience, question: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
  try {
    return { said: await requireAnswer(patience, question) }
  } catch (error) {
    if (patience.signal.aborted) throw patience.signal.reason
    return { trouble: error instanceof Error ? error.message : String(error) }
  }
}

/** A question that could not be answered. */
export function unknown(trouble: string): Verdict {
  return { answer: 'unknown', reason: trouble }
}

function limited<T>({ signal, timeoutMs }: Patience, question: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      over()
      rejectWith(reject, error)
    }
    const onAbort = (): void => fail(signal.reason)
    const timer = setTimeout(() => fail(new ArbiterError('ARBITER_SLOW', `no answer within ${timeoutMs} ms`, { hint: 'look whether the arbiter hangs, and at the way to it' })), timeoutMs)
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    question().then((said) => {
      over()
      resolve(said)
    }, fail)
    return undefined
  })
}

/** Errors of others are passed on as they are. */
function rejectWith(reject: (error: Error) => void, error: unknown): void {
  reject(error as Error)
}
