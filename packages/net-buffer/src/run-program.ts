import { spawn } from 'node:child_process'
import { NetBufferError } from './net-buffer-error.ts'

/** What a program said. */
export interface Ran {
  readonly status: number
  readonly output: string
  readonly messages: string
}

/** Runs `ip` or `tc` with `input` as its standard input. @throws NetBufferError NETBUF_PROGRAM when it cannot be run */
export type Run = (program: 'ip' | 'tc', args: readonly string[], input: string) => Promise<Ran>

/** Far more than a few commands take, in milliseconds. */
const LIMIT_MS = 10_000

/** `ip` and `tc` of this host. The search path is that of root, which users often lack. */
export const runProgram: Run = (program, args, input) =>
  new Promise((resolve, reject) => {
    const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LANG: 'C' }
    const child = spawn(program, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL' })
    const [output, messages] = [textOf(child.stdout), textOf(child.stderr)]
    child.once('error', (cause) => reject(new NetBufferError('NETBUF_PROGRAM', `${program} cannot be run: ${cause.message}`, { cause, hint: 'install iproute2' })))
    child.once('close', (code) => {
      if (code === null) reject(new NetBufferError('NETBUF_PROGRAM', `${program} does not come to an end`, { hint: 'look at the log of the kernel' }))
      else resolve({ status: code, output: output(), messages: messages() })
    })
    child.stdin.on('error', () => undefined) // it says itself why it ended before it had read all
    child.stdin.end(input)
  })

function textOf(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  return () => Buffer.concat(parts).toString('utf8')
}
