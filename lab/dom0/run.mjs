// Programs of dom0, run with a time limit; all they print goes into commands.log.
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { CheckFailed } from './tap.mjs'

const log = '/scratch/out/commands.log'

/** @param {string} text cut down to its last lines, progress lines left out */
const lastWords = (text) => text.split('\n').filter((line) => line.trim() !== '' && !/progress/.test(line)).slice(-8).join('\n')

/** This process's environment with changes; undefined takes a variable away. */
const given = (changes) => Object.fromEntries(Object.entries({ ...process.env, ...changes }).filter(([, value]) => value !== undefined))

/**
 * Starts a program.
 *
 * @param {readonly string[]} argv
 * @param {{ env?: Record<string, string | undefined>, seconds?: number }} [how]
 * @returns {{ pid: number, child: import('node:child_process').ChildProcess, ended: Promise<{ status: number | string, out: string, err: string, seconds: number }> }}
 */
export function start(argv, { env = {}, seconds = 400 } = {}) {
  const began = performance.now(), said = { out: '', err: '' }
  const child = spawn(argv[0], argv.slice(1), { env: given(env), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  child.stdout.on('data', (bytes) => (said.out += bytes))
  child.stderr.on('data', (bytes) => (said.err += bytes))
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ status: error.code ?? 'error', ...said, seconds: 0 }))
    child.on('close', (code, signal) => resolve({ status: code ?? signal, ...said, seconds: (performance.now() - began) / 1000 }))
  })
  void ended.then(({ status, out, err, seconds: took }) => {
    clearTimeout(timer)
    const words = Object.entries(env).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value} `).join('')
    appendFileSync(log, `$ ${words}${argv.join(' ')}\n${out}${err}-> ${status} after ${took.toFixed(2)} s\n\n`)
  })
  return { pid: child.pid, child, ended }
}

/** Runs a program to its end, whatever that is. */
export const attempt = (argv, how) => start(argv, how).ended

/** Runs a program that must succeed. @throws {CheckFailed} with its last words */
export async function run(argv, how) {
  const result = await attempt(argv, how)
  if (result.status !== 0) throw new CheckFailed(`${argv.join(' ')}: ${result.status}\n${lastWords(result.out + result.err)}`)
  return result
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Asks again until the answer is neither undefined nor false.
 *
 * @template T @param {string} what is waited for @param {() => Promise<T | undefined | false> | T | undefined | false} ask
 * @returns {Promise<T>}
 */
export async function until(what, ask, { seconds = 30, everyMs = 300 } = {}) {
  for (const limit = performance.now() + seconds * 1000; ; await sleep(everyMs)) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > limit) throw new CheckFailed(`${what}: not within ${seconds} s`)
  }
}
