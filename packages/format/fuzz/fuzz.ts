import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { inputOf, type Failure, type fuzz, type Plan } from './runs.ts'

const USAGE = `node fuzz/run.mjs [--seconds N] [--runs N] [--seed X] [--from RUN] [--jobs N] [--out DIR]

Damages the vectors at random and gives them to everything that reads images. Exits with 1 at the first crash, hang or error without
a code; the input is saved in DIR (default fuzz-failures), and the line that makes it again is printed.`

/** Longest time for one input. */
const HANG_MS = 2000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    jobs: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help === true) {
  console.log(USAGE)
  process.exit(0)
}

const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000)
const jobs = Number(values.jobs ?? 1)
const from = Number(values.from ?? 0)
const runs = Number(values.runs ?? Infinity)
const seconds = Number(values.seconds ?? (values.runs === undefined ? 60 : Infinity))
const out = values.out ?? 'fuzz-failures'
if ([seed, jobs, from, runs, seconds].some((value) => !(value >= 0)) || jobs < 1) {
  console.error(USAGE)
  process.exit(2)
}

async function fail({ run, error }: Failure): Promise<never> {
  const file = `${out}/${seed}-${run}.bin`
  mkdirSync(out, { recursive: true })
  writeFileSync(file, await inputOf(seed, run))
  console.error(`run ${run} failed: ${error}\ninput saved as ${file}; again with: node fuzz/run.mjs --seed ${seed} --from ${run} --runs 1`)
  process.exit(1)
}

/** One thread that makes every `jobs`-th run. @returns the runs it made. */
async function work(job: number): Promise<number> {
  const begun = new Int32Array(new SharedArrayBuffer(8)) // the number of the run, and how many began
  const plan: Omit<Plan, 'onRun'> = { seed, from: from + job, step: jobs, runs: Math.ceil((runs - job) / jobs), seconds }
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: { ...plan, begun } })
  const run = (): number => Atomics.load(begun, 0)
  const timer = watch(begun, () => void fail({ run: run(), error: `not done after ${HANG_MS} ms` }))
  worker.on('error', (error) => void fail({ run: run(), error: String(error) }))
  const [{ done, failure }] = (await once(worker, 'message')) as [Awaited<ReturnType<typeof fuzz>>]
  clearInterval(timer)
  await worker.terminate()
  return failure === undefined ? done : fail(failure)
}

function watch(begun: Int32Array, onHang: () => void): NodeJS.Timeout {
  let last = 0
  let since = performance.now()
  return setInterval(() => {
    const count = Atomics.load(begun, 1)
    if (count !== last) since = performance.now()
    else if (count > 0 && performance.now() - since > HANG_MS) onHang()
    last = count
  }, 100)
}

console.log(`seed ${seed}`)
const start = performance.now()
const done = (await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)))).reduce((sum, count) => sum + count, 0)
const took = (performance.now() - start) / 1000
console.log(`${done} runs in ${took.toFixed(1)} s, ${Math.round(done / took)} a second`)
