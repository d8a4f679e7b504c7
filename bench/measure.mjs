// Runs commands as whole processes, by turns, and tells medians: of single times on a shared machine only ratios of neighbours mean much.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

/**
 * Runs each command once for nothing and then all of them by turns, in an order that changes.
 *
 * @param commands shell lines by name.
 * @param after run behind each command, outside of its time.
 * @returns wall times in milliseconds by name, one for each round.
 */
export function byTurns(commands, runs, { before = () => undefined, after = () => undefined } = {}) {
  const names = Object.keys(commands)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -1; round < runs; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      before()
      const began = process.hrtime.bigint()
      shell(commands[name])
      const ms = Number(process.hrtime.bigint() - began) / 1e6
      if (round >= 0) times[name].push(ms)
      after()
    }
  }
  return times
}

/** @throws Error when the command fails. */
export function shell(line, env = {}) {
  const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${line}`], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  if (status !== 0) throw new Error(`${line}\nended with ${status}: ${stderr}`)
}

/** Most memory that a Node process of the command had, in MiB: the largest one of them. */
export function peakMiB(line) {
  const file = join(tmpdir(), `xr-bench-peak-${process.pid}`)
  shell(line, { NODE_OPTIONS: `--import=${new URL('peak-memory.mjs', import.meta.url)}`, XR_BENCH_PEAK: file })
  const peaks = readFileSync(file, 'utf8').trim().split('\n').map(Number)
  rmSync(file)
  return Math.max(...peaks) / 1024
}

/** Medians of what `compute` makes of the times of each round. */
export function paired(times, compute) {
  const rounds = Object.values(times)[0].length
  return median(Array.from({ length: rounds }, (_, i) => compute(Object.fromEntries(Object.entries(times).map(([name, all]) => [name, all[i]])))))
}
