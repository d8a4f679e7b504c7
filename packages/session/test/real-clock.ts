import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'

/** For what really waits: files. */
export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignalLike) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        reject(new DOMException('aborted', 'AbortError'))
      }
      const timer = setTimeout(() => (signal?.removeEventListener('abort', stop), resolve()), ms)
      if (signal?.aborted === true) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    }),
}
