import { crc32 } from 'node:zlib'
import type { FaultName } from '../faults.ts'
import type { Violation } from '../run/invariants.ts'
import { runSeed } from '../run/run-seed.ts'
import type { StrategyName } from '../strategies.ts'

/** Seeds in a row that one job plays before it tells of them. */
export interface Block {
  readonly strategy: StrategyName
  readonly fault: FaultName | undefined
  readonly first: number
  readonly count: number
}

/** A violation and the seed that replays it. */
export interface SeedViolation extends Violation {
  readonly seed: number
}

/** What came of the seeds of a block. */
export interface BlockResult {
  readonly first: number
  readonly count: number
  /** Of all that happened in all of them, in the order of the seeds. */
  readonly digest: number
  readonly epochs: number
  readonly takeOvers: number
  /** Virtual milliseconds, in all. */
  readonly ms: number
  readonly violations: readonly SeedViolation[]
}

/** Plays a block. @throws whatever is wrong with the simulation itself */
export async function runBlock({ strategy, fault, first, count }: Block): Promise<BlockResult> {
  const result = { first, count, digest: 0, epochs: 0, takeOvers: 0, ms: 0, violations: [] as SeedViolation[] }
  for (let seed = first; seed < first + count; seed += 1) {
    const one = await runSeed({ seed, strategy, fault })
    result.digest = crc32(one.digest, result.digest)
    result.epochs += one.epochs
    result.takeOvers += one.tookOver ? 1 : 0
    result.ms += one.ms
    if (one.violation !== undefined) result.violations.push({ ...one.violation, seed })
  }
  return result
}
