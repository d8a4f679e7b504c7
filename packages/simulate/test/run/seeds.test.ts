import { runSeed, strategies, strategyNames, type FaultName, type SeedResult, type StrategyName } from '@xen-replication/simulate'
import { describe, expect, it } from 'vitest'

/** Many runs on a busy machine, in milliseconds. */
const LONG = 600_000

const play = (strategy: StrategyName, seed: number, fault?: FaultName, keep: 'lines' | 'digest' = 'digest'): Promise<SeedResult> => runSeed({ seed, strategy, fault, keep })

describe('a run', { timeout: LONG }, () => {
  it.each(strategyNames)('of %s is the same, bit for bit, whenever its seed is played', async (strategy) => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const [first, again] = [await play(strategy, seed), await play(strategy, seed, undefined, 'lines')]
      expect({ ...again, story: [] }).toEqual(first)
    }
  })

  it('differs from those of other seeds', async () => {
    const digests = new Set<string>()
    for (let seed = 1; seed <= 20; seed += 1) digests.add((await play('remus', seed)).digest)
    expect(digests.size).toBe(20)
  })

  it('tells its story: what was drawn, what went wrong, how each side went through its table, and how it ended', async () => {
    let text = ''
    for (let seed = 1; !(text.includes('the connection is reset') && text.includes(': granted')); seed += 1) text = (await play('remus', seed, undefined, 'lines')).story.join('\n')
    expect(text).toMatch(/^ {5}0\.000 {2}run {6}seed \d+: \{/)
    expect(text).toMatch(/ b {8}start: begin -> base/)
    expect(text).toMatch(/ a {8}copying: copied -> sent/)
    expect(text).toMatch(/ [ab] {8}over: /)
  })
})

describe('remus', { timeout: LONG }, () => {
  it('violates nothing, takes over in some runs and is ended in order in others', async () => {
    const found: string[] = []
    let [epochs, takeOvers] = [0, 0]
    for (let seed = 1000; seed < 1120; seed += 1) {
      const result = await play('remus', seed)
      if (result.violation !== undefined) found.push(`seed ${seed}: ${result.violation.invariant}: ${result.violation.what}`)
      epochs += result.epochs
      takeOvers += result.tookOver ? 1 : 0
    }
    expect(found).toEqual([])
    expect(epochs).toBeGreaterThan(120)
    expect(takeOvers).toBeGreaterThan(10)
    expect(takeOvers).toBeLessThan(110)
  })
})

describe('colo', { timeout: LONG }, () => {
  it('violates nothing, compares what both guests send, and takes over in some runs', async () => {
    const found: string[] = []
    let [epochs, takeOvers] = [0, 0]
    for (let seed = 1; seed <= 60; seed += 1) {
      const result = await play('colo', seed)
      if (result.violation !== undefined) found.push(`seed ${seed}: ${result.violation.invariant}: ${result.violation.what}`)
      epochs += result.epochs
      takeOvers += result.tookOver ? 1 : 0
    }
    expect(found).toEqual([])
    expect(epochs).toBeGreaterThan(60)
    expect(takeOvers).toBeGreaterThan(3)
    expect(takeOvers).toBeLessThan(55)
  })
})

/** What the mistake breaks, where there is one thing that has to be found. */
const breaks: Readonly<Record<FaultName, readonly string[]>> = {
  'release-before-ack': ['output-commit'],
  'ipv4-only-buffer': ['output-commit'],
  'no-arbiter': ['one-active', 'no-lost-output'],
  'no-heartbeat': ['ends'],
  'ack-before-store': ['output-commit', 'last-epoch', 'keeps-on'],
  'resume-after-losing': ['one-active', 'no-lost-output'],
  'skip-suspended': ['same-memory', 'last-epoch'],
  'half-checkpoint': ['same-memory', 'last-epoch'],
  'release-unequal': ['compared-output'],
  'ignore-replication-error': ['disk-epoch'],
}

describe('a mistake that is put back in is found within 1,000 seeds', { timeout: LONG }, () => {
  it.each(strategyNames.flatMap((strategy) => strategies[strategy].faults.map((fault) => [strategy, fault] as const)))('%s: %s', async (strategy, fault) => {
    for (let seed = 1; seed <= 1000; seed += 1) {
      const { violation } = await play(strategy, seed, fault)
      if (violation === undefined || !breaks[fault].slice(0, 2).includes(violation.invariant)) continue
      expect(violation.at).toBeGreaterThan(0)
      return
    }
    expect.fail('nothing was found')
  })
})
