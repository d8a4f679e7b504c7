import { BackendError } from '@xen-replication/hypervisor'
import { spawn } from 'node:child_process'

/** How a run of `xl` ended. */
export interface XlResult {
  /** Exit status, or the signal that ended it. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

/** A run of `xl` under way. */
export interface XlRun {
  /** Never rejects but with BackendError BACKEND_UNSUPPORTED, when there is no `xl`. */
  readonly ended: Promise<XlResult>
  kill(): void
}

/** Xen's own tool: it makes and ends domains, and all that belongs to them. */
export interface XlTool {
  start(args: readonly string[], env?: Readonly<Record<string, string>>): XlRun
}

/** Most text that is kept of what it says, in characters. */
const SAID_MAX = 64_000

/** `xl` as a program. @param command `xl`, where it is not on the path: with its folder */
export function xlTool(command = 'xl'): XlTool {
  return {
    start: (args, env = {}) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
      const said = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text: string) => {
          said[stream] = (said[stream] + text).slice(-SAID_MAX)
        })
      }
      const ended = new Promise<XlResult>((resolve, reject) => {
        child.once('error', (cause) => reject(new BackendError('BACKEND_UNSUPPORTED', `${command}, which makes and ends domains, cannot be started`, { cause, hint: 'install Xen’s tools; on Debian: apt install xen-utils' })))
        // A daemon that it leaves behind may hold its output: its own end is what counts.
        child.once('exit', (status, signal) => setImmediate(() => resolve({ status: status ?? signal ?? 'gone', ...said })))
      })
      ended.catch(() => undefined) // whoever waits is told
      return { ended, kill: () => child.kill('SIGTERM') }
    },
  }
}

/** Runs `xl` to its end. @throws BackendError BACKEND_HOST with what it said, BACKEND_UNSUPPORTED */
export async function runXl(xl: XlTool, args: readonly string[]): Promise<string> {
  const result = await xl.start(args).ended
  if (result.status !== 0) throw new BackendError('BACKEND_HOST', `xl ${args.join(' ')} failed: ${lastWords(result)}`)
  return result.stdout
}

/** The last lines of what it had to say, progress left out. */
export function lastWords({ status, stderr, stdout }: XlResult): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).split(/[\r\n]+/).filter((line) => line.trim() !== '' && !line.includes('progress:'))
  return lines.length === 0 ? `it ended with ${status}` : lines.slice(-3).join('; ')
}
