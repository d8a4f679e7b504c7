import { spawn, type ChildProcess } from 'node:child_process'

/** A command of the user's and what it is told. */
export interface Command {
  /** A line for /bin/sh. */
  readonly line: string
  /** What the line finds as $1, $2, … */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** How a command ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined
  /** What it said, up to 4096 bytes of each. */
  readonly output: string
  readonly messages: string
}

/** Bytes of output that are kept; the rest is read and thrown away. */
const KEPT = 4096

/**
 * Runs a command to its end, in a process group of its own; the group is killed when `going` aborts.
 *
 * @throws errors of the system when it cannot be started
 */
export function runCommand({ line, args, env }: Command, going: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line, 'xr', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const [output, messages] = [keep(child.stdout), keep(child.stderr)]
    const stop = (): void => killGroup(child)
    going.addEventListener('abort', stop, { once: true })
    child.once('error', (error) => {
      going.removeEventListener('abort', stop)
      reject(error)
    })
    // 'exit' and not 'close': what it left running in the background may keep the pipes open
    child.once('exit', (code) => {
      going.removeEventListener('abort', stop)
      setImmediate(() => {
        child.stdout.destroy()
        child.stderr.destroy()
        resolve({ status: code ?? undefined, output: output(), messages: messages() })
      })
    })
  })
}

function keep(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = []
  let kept = 0
  stream.on('data', (part: Buffer) => {
    const wanted = part.subarray(0, KEPT - kept)
    if (wanted.length > 0) parts.push(wanted)
    kept += wanted.length
  })
  return () => Buffer.concat(parts).toString('utf8')
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it is gone already
  }
}
