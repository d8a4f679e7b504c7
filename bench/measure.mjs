// Runs commands as whole processes, by turns, and tells medians: of single times on a shared machine only ratios of neighbours mean much.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

/**
 * Runs each command once for nothing and then all of them by turns, in an order that changes.
 *
 * @param commands shell lines by name, or a pair of them: `server` is started first and has its `socket` when the time of `client` begins, which ends
 *   when both have ended.
 * @param after run behind each command, outside of its time, with its name.
 * @returns wall times in milliseconds by name, one for each round.
 */
export function byTurns(commands, runs, { before = () => undefined, after = () => undefined } = {}) {
  const names = Object.keys(commands)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -1; round < runs; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      before()
      const { line, done } = prepared(commands[name])
      const began = process.hrtime.bigint()
      shell(line)
      const ms = Number(process.hrtime.bigint() - began) / 1e6
      done()
      if (round >= 0) times[name].push(ms)
      after(name)
    }
  }
  return times
}

function prepared(command) {
  if (typeof command === 'string') return { line: command, done: () => undefined }
  const { server, socket, client } = command
  const status = `${socket}.status`
  for (const file of [socket, status]) rmSync(file, { force: true })
  const { stdout } = spawnSync('bash', ['-c', `(${server}; echo $? > '${status}') < /dev/null > '${socket}.log' 2>&1 & echo $!`], { stdio: ['ignore', 'pipe', 'inherit'] })
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries === WAIT_TRIES || existsSync(status)) throw new Error(`${server}\nmade no socket: ${readFileSync(`${socket}.log`, 'utf8')}`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
  }
  const done = () => {
    if (readFileSync(status, 'utf8').trim() !== '0') throw new Error(`${server}\nended with ${readFileSync(status, 'utf8')}: ${readFileSync(`${socket}.log`, 'utf8')}`)
  }
  return { line: `${client} && tail --pid=${String(stdout).trim()} -s 0.01 -f /dev/null`, done }
}

/** How often and for how long the socket of a server is waited for. */
const WAIT_TRIES = 2000
const WAIT_MS = 10

/** Whether a program is installed. */
export const has = (program) => spawnSync('which', [program]).status === 0

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
