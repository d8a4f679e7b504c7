import { strategyCases, type StrategyBench } from '@xen-replication/compliance'
import { describe, expect, it } from 'vitest'
import { tinyLockstep } from './tiny/tiny-lockstep.ts'
import { tinyStrategy } from './tiny/tiny-strategy.ts'

const open = (fault = '') => (): Promise<StrategyBench> => Promise.resolve(tinyStrategy(fault))

describe('a strategy that keeps its promises', () => {
  for (const one of strategyCases) it(one.name, () => one.run(open()))
})

describe('a lock-step strategy that keeps its promises', () => {
  for (const one of strategyCases) it(one.name, () => one.run(() => Promise.resolve(tinyLockstep())))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'every move leads to a state that exists': 'goes-nowhere',
  'every state can be reached': 'dead-state',
  'from every state there is a way to an end': 'no-way-out',
  'every event has an answer or is refused, in every state': 'answers-all',
  'wherever the link is used its loss has an answer': 'loss-unanswered',
  'a lost link leads to an end, and the peer is not needed on the way': 'waits-for-the-lost',
  'nobody takes over without having won': 'takes-over-alone',
  'whoever has not won does not run on': 'runs-on',
  'every effect of its own can be performed, and none is there for nothing': 'effect-missing',
  'needs are told for every kind of guest': 'needs-twice',
  'defaults are within their limits': 'default-too-large',
  'what one side sends the other understands': 'not-understood',
  'wherever the link is cut both sides come to an end, and every rule of the way is kept': 'releases-early stages-running not-understood',
  'wherever the link is cut exactly one guest runs, when the arbiter lets one side win': 'nobody-runs takes-over-alone',
  'wherever the link is cut the secondary does not run, when the arbiter lets nobody win': 'takes-over-alone shadow-stays',
}

describe('a strategy that breaks a promise is caught', () => {
  it.each(Object.entries(mutants).flatMap(([name, faults]) => faults.split(' ').map((fault) => [fault, name] as const)))('%s by: %s', async (fault, name) => {
    await expect(strategyCases.find((one) => one.name === name)?.run(open(fault))).rejects.toThrow()
  })

  it('whichever it is', () => expect(strategyCases.map(({ name }) => name)).toEqual(Object.keys(mutants)))
})
