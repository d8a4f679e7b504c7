import assert from 'node:assert/strict'
import { check, type Case } from '../case.ts'
import { runPair, type PairEnd } from './pair.ts'
import type { StrategyBench } from './strategy-bench.ts'
import { ends } from './table-rules.ts'

/** Messages after which the link is cut: every one of the first rounds. */
const CUTS = 60
const BOTH = ['won', 'lost'] as const

/** A case for a link that dies after n messages, for all n. */
function cutting(name: string, answers: readonly ('won' | 'lost')[], body: (end: PairEnd, bench: StrategyBench) => void): Case<StrategyBench> {
  return check(name, async (bench) => {
    for (let cutAfter = 0; cutAfter < CUTS; cutAfter++) {
      const end = await runPair(bench.strategy, { cutAfter, answers, peerEffects: bench.peerEffects, yields: bench.yields })
      try {
        body(end, bench)
      } catch (error) {
        throw new assert.AssertionError({ message: `link cut after ${cutAfter} messages: ${error instanceof Error ? error.message : String(error)}; ${end.log.slice(-8).join(', ')}` })
      }
    }
  })
}

/** A pair in memory, its link cut after each message. */
export const pairCases: readonly Case<StrategyBench>[] = [
  cutting('wherever the link is cut both sides come to an end, and every rule of the way is kept', BOTH, ({ states, broken }, { strategy }) => {
    assert.deepEqual(broken, [])
    assert.ok(ends(strategy.primary).includes(states.primary) && ends(strategy.secondary).includes(states.secondary), `they stay in ${states.primary} and ${states.secondary}`)
  }),
  cutting('wherever the link is cut exactly one guest runs, when the arbiter lets one side win', BOTH, ({ running }) => {
    assert.equal(Number(running.primary) + Number(running.secondary), 1, `running: ${JSON.stringify(running)}`)
  }),
  cutting('wherever the link is cut the secondary does not run, when the arbiter lets nobody win', [], ({ running }) => {
    assert.equal(running.secondary, false)
  }),
]
