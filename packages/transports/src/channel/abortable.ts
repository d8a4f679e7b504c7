import type { AbortSignalLike } from '@xen-replication/plugin-api'

/** How to settle what was started. */
export interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/**
 * Something that takes time and can be called off.
 *
 * @param start begins, and returns how to undo what was begun; that is called on abort only.
 * @throws the reason of `signal`
 */
export function abortable<T>(signal: AbortSignalLike, start: (settle: Settle<T>) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return rejectWith(reject, signal.reason)
    const onAbort = (): void => {
      undo()
      rejectWith(reject, signal.reason)
    }
    const settled = (): void => signal.removeEventListener('abort', onAbort)
    const undo = start({
      resolve: (value) => {
        settled()
        resolve(value)
      },
      reject: (error) => {
        settled()
        rejectWith(reject, error)
      },
    })
    signal.addEventListener('abort', onAbort, { once: true })
    return undefined
  })
}

/** Errors of others are passed on as they are. */
function rejectWith(reject: (error: Error) => void, error: unknown): void {
  reject(error as Error)
}
