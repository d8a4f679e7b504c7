import { comparatorCases, type ComparatorBench } from '@xen-replication/compliance'
import { describe, expect, it } from 'vitest'
import { tinyComparator } from './tiny/tiny-comparator.ts'

const open = (fault = '') => (): Promise<ComparatorBench> => Promise.resolve(tinyComparator(fault))

describe('a comparator that keeps its promises', () => {
  for (const one of comparatorCases) it(one.name, () => one.run(open()))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'a packet leaves when both sides have sent it, whichever was first': 'impatient counts-both',
  'what leaves is what the primary has sent, and the very packet': 'secondary-leaves',
  'packets of a flow leave in their order': 'last-first',
  'flows, and cards, wait by themselves': 'one-flow one-card',
  'what differs stays, and a checkpoint is wanted until there is one': 'believes says-once stays-diverged',
  'nothing leaves between a divergence and the checkpoint': 'goes-on',
  'what waits too long asks for a checkpoint, of either side': 'never-late late-of-one',
  'nothing is to be looked at where nothing waits': 'always-due',
  'more than may wait asks for a checkpoint': 'never-full',
  'a checkpoint lets go what waits of the primary, as it came, and forgets what waits of the secondary': 'keeps-primary keeps-secondary reversed',
  'without a secondary what waits is let go, and what comes leaves at once': 'never-alone',
  'bytes that are no frame do no harm, and wait for the same': 'needs-frames lets-odd-go',
}

describe('a comparator that breaks a promise is caught', () => {
  it.each(Object.entries(mutants).flatMap(([name, faults]) => faults.split(' ').map((fault) => [fault, name] as const)))('%s by: %s', async (fault, name) => {
    await expect(comparatorCases.find((one) => one.name === name)?.run(open(fault))).rejects.toThrow()
  })

  it('whichever it is', () => expect(comparatorCases.map(({ name }) => name)).toEqual(Object.keys(mutants)))
})
