import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import type { FaultName } from '../faults.ts'
import type { StrategyName } from '../strategies.ts'
import { runBlock, type Block, type BlockResult, type SeedViolation } from './block.ts'

export interface SimulateRequest {
  readonly strategy: StrategyName
  readonly fault?: FaultName | undefined
  /** First seed. */
  readonly first: number
  readonly seeds: number
  /** Threads that play. */
  readonly jobs: number
  readonly signal: AbortSignal
  /** Told how many seeds have been played. */
  readonly progress?: ((played: number) => void) | undefined
}

/** What came of all seeds. */
export interface Simulated {
  /** Of all that happened, in hexadecimal; the same for the same seeds, whatever the jobs. */
  readonly digest: string
  readonly epochs: number
  readonly takeOvers: number
  /** Virtual milliseconds, in all. */
  readonly ms: number
  /** By seed. */
  readonly violations: readonly SeedViolation[]
}

/** Seeds of a block, so that digests do not depend on the jobs. */
const BLOCK = 25

/**
 * Plays seeds in a row.
 *
 * @throws the reason of `signal`; whatever is wrong with the simulation itself
 */
export async function simulateSeeds(request: SimulateRequest): Promise<Simulated> {
  const results = new Map<number, BlockResult>()
  const next = blocksOf(request)
  let played = 0
  const done = (result: BlockResult): void => {
    results.set(result.first, result)
    request.progress?.((played += result.count))
  }
  const file = workerFile()
  if (file === undefined) await alone(next, done, request.signal)
  else await Promise.all(Array.from({ length: request.jobs }, () => inThread(file, next, done, request.signal)))
  return summed([...results.values()].sort((one, other) => one.first - other.first))
}

/** @returns what gives the next block, and undefined when none is left. */
function blocksOf({ strategy, fault, first, seeds }: SimulateRequest): () => Block | undefined {
  let at = first
  return () => {
    const count = Math.min(BLOCK, first + seeds - at)
    const block = { strategy, fault, first: at, count }
    at += count
    return count > 0 ? block : undefined
  }
}

/** Where there is no built worker: from the sources. */
async function alone(next: () => Block | undefined, done: (result: BlockResult) => void, signal: AbortSignal): Promise<void> {
  for (let block = next(); block !== undefined; block = next()) {
    signal.throwIfAborted()
    done(await runBlock(block))
    await new Promise(setImmediate) // signals are heard between two blocks
  }
}

async function inThread(file: URL, next: () => Block | undefined, done: (result: BlockResult) => void, signal: AbortSignal): Promise<void> {
  const worker = new Worker(file)
  try {
    for (let block = next(); block !== undefined; block = next()) {
      signal.throwIfAborted()
      done(await answered(worker, block, signal))
    }
  } finally {
    await worker.terminate()
  }
}

function answered(worker: Worker, block: Block, signal: AbortSignal): Promise<BlockResult> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('called off'))
    signal.addEventListener('abort', stop, { once: true })
    worker.once('error', reject)
    worker.once('message', (result: BlockResult) => {
      worker.off('error', reject)
      signal.removeEventListener('abort', stop)
      resolve(result)
    })
    worker.postMessage(block)
  })
}

/** Beside the bundle that this is a part of, or beside this module. */
function workerFile(): URL | undefined {
  return ['./simulate-worker.cjs', './worker.js'].map((file) => new URL(file, import.meta.url)).find((file) => existsSync(file))
}

function summed(results: readonly BlockResult[]): Simulated {
  const sum = (of: (result: BlockResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  const digest = results.reduce((before, result) => crc32(result.digest.toString(16), before), 0)
  return {
    digest: digest.toString(16).padStart(8, '0'),
    epochs: sum(({ epochs }) => epochs),
    takeOvers: sum(({ takeOvers }) => takeOvers),
    ms: sum(({ ms }) => ms),
    violations: results.flatMap(({ violations }) => violations),
  }
}
