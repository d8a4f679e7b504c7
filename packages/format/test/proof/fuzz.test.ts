import { describe, expect, it } from 'vitest'
import { Inputs } from '../../fuzz/mutate.ts'
import { Random } from '../../fuzz/random.ts'
import { fuzz, inputOf } from '../../fuzz/runs.ts'
import { loadSeeds } from '../../fuzz/seeds.ts'

describe('inputs damaged at random', () => {
  it('crash nothing, hang nothing, and fail only with a code', { timeout: 120_000 }, async () => {
    expect(await fuzz({ seed: 1, from: 0, step: 1, runs: 20_000, seconds: 100 })).toEqual({ done: 20_000, failure: undefined })
  })

  it('are the same for the same seed and run, whatever ran before', async () => {
    const seeds = await loadSeeds()
    const inputs = new Inputs(seeds)
    for (let run = 0; run < 50; run++) inputs.make(new Random(3, run))
    expect(inputs.make(new Random(3, 7))).toEqual(await inputOf(3, 7))
  })

  it('are of many lengths', async () => {
    const inputs = new Inputs(await loadSeeds())
    const lengths = new Set(Array.from({ length: 500 }, (_, run) => inputs.make(new Random(4, run)).length))
    expect(lengths.size).toBeGreaterThan(100)
  })
})
