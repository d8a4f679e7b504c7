import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { run } from './run.ts'

const stop = new AbortController()
// The second signal of a kind finds no handler and ends the process at once.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())

void run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  env: process.env,
  cwd: process.cwd(),
  now: () => performance.now(),
}).then((exit) => process.exit(exit)) // a read that still waits for a silent pipe must not keep the process
