import { arbiterCases, arbiterSafetyCases, type ArbiterBench } from '@xen-replication/compliance'
import { describe, expect, it } from 'vitest'
import { tinyArbitration } from './tiny/tiny-arbiter.ts'

const open = (fault = '') => (): Promise<ArbiterBench> => Promise.resolve(tinyArbitration(fault))

describe('an arbiter that keeps its promises', () => {
  for (const one of arbiterCases) it(one.name, () => one.run(open()))
})

describe('an arbiter that never grants', () => {
  for (const one of arbiterSafetyCases) it(one.name, () => one.run(open('none')))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'two sides that claim at the same time never both win': 'races',
  'many claims of both sides never give both sides a grant': 'races',
  'whoever was denied is denied again, even when the winner is gone': 'forgets-the-gone',
  'a grant that was never given does not hold': 'holds-anything',
  'a denial and an unknown answer say why': 'says-nothing',
  'asking can be called off': 'deaf',
  'an arbiter may be closed twice': 'closes-once',
  'the first to claim wins and the other is denied, whichever side it is': 'prefers-primary unsure none',
  'the winner is told the same again, with the same token, from whichever process it asks': 'new-token none',
  'tokens of one guest grow from session to session': 'token-stays one-session',
  'guests do not stand in each other’s way': 'one-guest-only',
  'a grant holds, and others can see that': 'holds-nothing',
  'a pair that the guest was taken away from does not win it, where the arbiter can tell': 'takes-outdated forgets-tokens none',
  'a grant no longer holds once a later session of the guest was won': 'holds-old',
}

describe('an arbiter that breaks a promise is caught', () => {
  it.each(Object.entries(mutants).flatMap(([name, faults]) => faults.split(' ').map((fault) => [fault, name] as const)))('%s by: %s', async (fault, name) => {
    await expect(arbiterCases.find((one) => one.name === name)?.run(open(fault))).rejects.toThrow()
  })

  it('whichever it is', () => expect(arbiterCases.map(({ name }) => name)).toEqual(Object.keys(mutants)))
})
