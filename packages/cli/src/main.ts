import { spawn } from 'node:child_process'
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
  startGuard,
  starterEnded,
}).then((exit) => process.exit(exit)) // a read that still waits for a silent pipe must not keep the process

/** It has a session of its own, so that what ends this process does not end it; its standard input ends when this process does. */
function startGuard(options: readonly string[]): void {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...options, 'guard', String(process.pid)], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] })
  for (const one of [child, child.stdin]) one.on('error', () => undefined) // what it would do is done by the next `xr remus`
  child.unref()
}

function starterEnded(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve())
    process.stdin.resume()
  })
}
