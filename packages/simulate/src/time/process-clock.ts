import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import type { SimProcess } from './sim-process.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How a host's clock goes wrong. */
export interface Skew {
  /** What it shows at the beginning, in milliseconds. */
  readonly offset: number
  /** Its milliseconds in a true one. */
  readonly rate: number
}

/** The clock that a process sees. Sleepers of a dead process never wake. */
export function processClock(process: SimProcess, time: VirtualTime, { offset, rate }: Skew): Clock {
  return {
    now: () => offset + time.now * rate,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(reasonOf(signal))
        const abort = (): void => {
          callOff()
          reject(reasonOf(signal as AbortSignalLike))
        }
        const callOff = process.after(ms / rate, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
        return undefined
      }),
  }
}

const reasonOf = (signal: AbortSignalLike): Error => (signal.reason instanceof Error ? signal.reason : Object.assign(new Error('aborted'), { name: 'AbortError', cause: signal.reason }))
