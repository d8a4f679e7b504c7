import type { OptionValues, Strategy } from '@xen-replication/plugin-api'
import type { Bench } from '../case.ts'

/** A strategy, and what only its author knows of its own effects. */
export interface StrategyBench extends Bench {
  readonly strategy: Strategy
  /** Names of own effects that use the link. */
  readonly peerEffects: readonly string[]
  /** In a simulated pair: what an own effect yields. Peer effects are not asked when the link is gone. */
  readonly yields: (effect: string) => string | undefined
  /** Options to try, beside the defaults. */
  readonly options: OptionValues
}
