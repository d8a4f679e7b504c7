import type { Clock } from '@xen-replication/hypervisor'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }),
}
