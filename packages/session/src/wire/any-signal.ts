import type { AbortSignalLike } from '@xen-replication/plugin-api'

/** A signal that aborts with the first of several. `done` ends the listening. */
export function anySignal(...signals: readonly AbortSignalLike[]): { readonly signal: AbortSignalLike; done(): void } {
  const any = new AbortController()
  const listeners = signals.map((signal) => {
    const listener = (): void => any.abort(signal.reason)
    if (signal.aborted) listener()
    signal.addEventListener('abort', listener, { once: true })
    return () => signal.removeEventListener('abort', listener)
  })
  return { signal: any.signal, done: () => listeners.forEach((remove) => remove()) }
}
