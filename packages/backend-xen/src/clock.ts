import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'

/** Time of this machine, in milliseconds since the process began. */
export const realClock = (): Clock => ({
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const stop = (): void => {
        clearTimeout(timer)
        reject(reasonOf(signal as AbortSignalLike))
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      signal?.addEventListener('abort', stop, { once: true })
    }),
})

/** Why somebody called it off, as an error. */
export const reasonOf = ({ reason }: AbortSignalLike): Error => (reason instanceof Error ? reason : new Error('called off', { cause: reason }))
