import { setTimeout } from 'node:timers/promises'
import type { Clock } from '@xen-replication/plugin-api'

export const clock: Clock = { now: () => performance.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }) }
