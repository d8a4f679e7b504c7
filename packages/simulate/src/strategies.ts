import type { Strategy } from '@xen-replication/plugin-api'
import { remus } from '@xen-replication/remus'
import type { FaultName } from './faults.ts'

/** What is simulated, and which faults it can be given. */
export interface Simulated {
  readonly strategy: Strategy
  readonly faults: readonly FaultName[]
}

export const strategies = {
  remus: { strategy: remus, faults: ['release-before-ack', 'ipv4-only-buffer', 'no-arbiter', 'no-heartbeat', 'ack-before-store', 'resume-after-losing'] },
} as const satisfies Readonly<Record<string, Simulated>>

export type StrategyName = keyof typeof strategies

export const strategyNames = Object.keys(strategies) as readonly StrategyName[]
