import type { FaultName, Invariant, Simulated } from '@xen-replication/simulate'
import { countText, durationText, plural } from '../output/units.ts'

/** Seeds that are named for each invariant. */
const NAMED = 10

/** An invariant that was violated, and how to see it. */
export interface Violated {
  readonly invariant: Invariant
  readonly sentence: string
  /** Seeds that violate it. */
  readonly count: number
  /** The first of them. */
  readonly seeds: readonly number[]
  /** Of the first seed. */
  readonly what: string
  /** Virtual milliseconds. */
  readonly at: number
  readonly replay: string
}

interface Played {
  readonly strategy: string
  readonly fault: FaultName | undefined
  readonly first: number
  readonly seeds: number
}

/** By invariant, those with the first seeds before others. */
export async function violationsOf({ strategy, fault }: Played, { violations }: Simulated): Promise<readonly Violated[]> {
  const { invariants } = await import('@xen-replication/simulate')
  const names = [...new Set(violations.map(({ invariant }) => invariant))]
  return names.map((invariant) => {
    const all = violations.filter((one) => one.invariant === invariant)
    const { seed, what, at } = all[0] as (typeof all)[number]
    const replay = `xr simulate --strategy ${strategy}${fault === undefined ? '' : ` --fault ${fault}`} --seed ${seed} -v`
    return { invariant, sentence: invariants[invariant], count: all.length, seeds: all.slice(0, NAMED).map((one) => one.seed), what, at, replay }
  })
}

export function simulatedText({ strategy, fault, first, seeds }: Played, { digest, epochs, takeOvers, ms }: Simulated, seconds: number, violations: readonly Violated[]): string {
  const what = `${strategy}${fault === undefined ? '' : ` with ${fault}`}, ${plural(seeds, 'seed')} from ${first}`
  const found = violations.map(({ invariant, sentence, count, what: how, at, seeds: named, replay }) => `${invariant}: ${sentence}\n  violated by ${plural(count, 'seed')}: ${named.join(', ')}${count > named.length ? ', …' : ''}\n  seed ${named[0]} at ${at.toFixed(3)} ms: ${how}\n  ${replay}\n`)
  const summary = `${what}: ${violations.length === 0 ? 'no violation' : `${plural(violations.length, 'invariant')} violated`}\n`
  return `${found.join('')}${summary}${plural(epochs, 'epoch')} acknowledged, ${plural(takeOvers, 'take-over')}, ${durationText(ms)} of virtual time in ${durationText(seconds * 1000)} (${countText(Math.round((seeds / seconds) * 60))} seeds a minute), digest ${digest}\n`
}
