// Starts one program and waits for it: no shell, what it printed comes back, its last words go into the error.
import { spawn } from 'node:child_process'
import { LabError } from './lab-error.mjs'

/**
 * @param {string} program @param {readonly string[]} args
 * @param {{ cwd?: string, input?: string | Uint8Array, env?: NodeJS.ProcessEnv, seconds?: number, hint?: string }} [how]
 * @returns {Promise<string>} its standard output
 * @throws {LabError} when it cannot be started, fails, or takes longer than `seconds` (600)
 */
export function runTool(program, args, { cwd, input, env = process.env, seconds = 600, hint = 'see what it printed above' } = {}) {
  const said = { out: [], err: [] }
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
  child.stdout.on('data', (bytes) => said.out.push(bytes))
  child.stderr.on('data', (bytes) => said.err.push(bytes))
  child.stdin.on('error', () => {}) // a program that does not read its input still tells how it ended
  child.stdin.end(input)
  const ended = new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new LabError(`${program} cannot be started: ${error.message}`, `install it, or put it on PATH`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(said.out).toString('utf8'))
      const last = Buffer.concat([...said.out, ...said.err]).toString('utf8').trim().split('\n').slice(-12).join('\n')
      reject(new LabError(`${program} ${args.slice(0, 3).join(' ')} … ended with ${code ?? signal}\n${last}`, hint))
    })
  })
  return ended.finally(() => clearTimeout(timer))
}
