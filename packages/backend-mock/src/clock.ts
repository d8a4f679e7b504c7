import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'

/** A clock that only moves when told to. */
export interface VirtualClock extends Clock {
  /** Lets `ms` milliseconds pass; sleepers wake in the order of their times. */
  advance(ms: number): Promise<void>
}

export interface VirtualClockOptions {
  /** First reading, in milliseconds. */
  readonly start?: number
  /** What happens while everybody sleeps: `wait` for `advance()`, or `jump` to the next one's time. */
  readonly idle?: 'wait' | 'jump'
}

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock for simulations: the same calls give the same times. */
export function virtualClock({ start = 0, idle = 'wait' }: VirtualClockOptions = {}): VirtualClock {
  const sleepers: Sleeper[] = []
  let now = start
  const wakeFirst = (): void => {
    const first = sleepers.shift()
    if (first === undefined) return
    now = Math.max(now, first.at)
    first.wake()
  }
  return {
    now: () => now,
    sleep: (ms, signal) =>
      abortable(signal, (wake) => {
        const sleeper = { at: now + ms, wake }
        const place = sleepers.findIndex(({ at }) => at > sleeper.at)
        sleepers.splice(place < 0 ? sleepers.length : place, 0, sleeper)
        if (idle === 'jump') setImmediate(wakeFirst)
        return () => sleepers.splice(sleepers.indexOf(sleeper) >>> 0, 1)
      }),
    advance: async (ms) => {
      const end = now + ms
      for (;;) {
        await new Promise(setImmediate) // whoever was woken may go to sleep again before the end
        const next = sleepers[0]
        if (next === undefined || next.at > end) break
        wakeFirst()
      }
      now = end
    },
  }
}

/** The time of this machine, in milliseconds since 1970, so that processes agree on it; it never goes back within one. */
export function realClock(): Clock {
  return {
    now: () => performance.timeOrigin + performance.now(),
    sleep: (ms, signal) =>
      abortable(signal, (wake) => {
        const timer = setTimeout(wake, ms)
        return () => clearTimeout(timer)
      }),
  }
}

/** @param start begins to wait and returns how to stop waiting. */
function abortable(signal: AbortSignalLike | undefined, start: (wake: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(reasonOf(signal))
    const abort = (): void => {
      cancel()
      if (signal !== undefined) reject(reasonOf(signal))
    }
    const cancel = start(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
    return undefined
  })
}

function reasonOf(signal: AbortSignalLike): Error {
  return signal.reason instanceof Error ? signal.reason : Object.assign(new Error('aborted'), { name: 'AbortError', cause: signal.reason })
}
