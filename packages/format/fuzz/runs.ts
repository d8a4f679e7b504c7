import { Inputs } from './mutate.ts'
import { Random } from './random.ts'
import { loadSeeds } from './seeds.ts'
import { runTarget } from './target.ts'

/** A run that failed. */
export interface Failure {
  readonly run: number
  readonly error: string
}

export interface Plan {
  readonly seed: number
  /** Number of the first run. */
  readonly from: number
  /** To the number of the next run. */
  readonly step: number
  /** Most runs. */
  readonly runs: number
  readonly seconds: number
  /** Told the number of each run before it begins. */
  readonly onRun?: (run: number) => void
}

/** @returns the runs made, and the first failure. */
export async function fuzz({ seed, from, step, runs, seconds, onRun }: Plan): Promise<{ readonly done: number; readonly failure: Failure | undefined }> {
  const inputs = new Inputs(await loadSeeds())
  const until = performance.now() + 1000 * seconds
  let done = 0
  Error.stackTraceLimit = 0 // most inputs are refused, and the stack of an error takes longer to make than the rest
  for (; done < runs && (done % 64 !== 0 || performance.now() < until); done++) {
    const run = from + step * done
    const random = new Random(seed, run)
    onRun?.(run)
    try {
      await runTarget(inputs.make(random), random)
    } catch {
      return { done, failure: await again(inputs, seed, run) }
    }
  }
  return { done, failure: undefined }
}

/** Repeats a failed run to have its stack. */
async function again(inputs: Inputs, seed: number, run: number): Promise<Failure> {
  const random = new Random(seed, run)
  Error.stackTraceLimit = 30
  try {
    await runTarget(inputs.make(random), random)
    return { run, error: 'failed once, and not when it was repeated' }
  } catch (error) {
    return { run, error: error instanceof Error ? String(error.stack) : String(error) }
  }
}

/** The bytes of one run. */
export const inputOf = async (seed: number, run: number): Promise<Uint8Array> => new Inputs(await loadSeeds()).make(new Random(seed, run))
