import { colo } from '@xen-replication/colo'
import type { GuestKind } from '@xen-replication/hypervisor'
import type { Strategy } from '@xen-replication/plugin-api'
import { remus } from '@xen-replication/remus'
import type { FaultName } from './faults.ts'

/** What a strategy is simulated with, beside its tables. */
export interface Manner {
  /** Whether the secondary's guest waits, or runs along with its output unseen. */
  readonly secondary: 'waits' | 'runs-along'
  /** Guests; the first of them most often. */
  readonly kinds: readonly [GuestKind, ...GuestKind[]]
  /** Share of the others. */
  readonly otherKinds: number
  /** States of the primary in which there is a pair that an operator may end. */
  readonly paired: readonly string[]
  /** State of the secondary in which it has a whole copy and nothing is under way. */
  readonly ready: string
}

/** What is simulated, and which faults it can be given. */
export interface Simulated {
  readonly strategy: Strategy
  readonly manner: Manner
  readonly faults: readonly FaultName[]
}

export const strategies = {
  remus: {
    strategy: remus,
    // Page numbers of HVM guests are spread over 4 GiB: they take several times as long.
    manner: { secondary: 'waits', kinds: ['pv', 'pvh', 'hvm'], otherKinds: 0.02, paired: ['copying', 'sent', 'waiting'], ready: 'holding' },
    faults: ['release-before-ack', 'ipv4-only-buffer', 'no-arbiter', 'no-heartbeat', 'ack-before-store', 'resume-after-losing'],
  },
  colo: {
    strategy: colo,
    manner: { secondary: 'runs-along', kinds: ['pvh', 'hvm'], otherKinds: 0.3, paired: ['copying', 'sent', 'resumed', 'comparing', 'suspended'], ready: 'shadowing' },
    faults: ['skip-suspended', 'half-checkpoint', 'release-unequal', 'ignore-replication-error', 'no-arbiter'],
  },
} as const satisfies Readonly<Record<string, Simulated>>

export type StrategyName = keyof typeof strategies

export const strategyNames = Object.keys(strategies) as readonly StrategyName[]
