import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { scratch } from '../run-xr.ts'

// The built command, as a user would run it; the test task builds first.
const bin = fileURLToPath(new URL('../../bin/xr.js', import.meta.url))

/** A command line of `xr`. */
export const command = (...words: readonly string[]): readonly string[] => [process.execPath, bin, ...words]

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** An `xr` that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly end: Promise<Ended>
  /** Waits until it has written that to standard output or standard error. */
  until(text: RegExp): Promise<void>
}

/** A machine with two simulated hosts, an arbiter both see, and a folder in which operations are found. */
export interface Machine {
  readonly folder: string
  /** Where the backup waits. */
  readonly url: string
  readonly arbiter: string
  start(host: 'a' | 'b', ...words: readonly string[]): Running
  run(host: 'a' | 'b', ...words: readonly string[]): Promise<Ended>
  guests(host: 'a' | 'b'): Promise<readonly string[]>
}

export function machine(): Machine {
  const folder = scratch()
  const [url, arbiter] = [`unix:${join(folder, 's')}`, `file:${join(folder, 'arbiter')}`]
  mkdirSync(join(folder, 'arbiter'))
  const start = (host: 'a' | 'b', ...words: readonly string[]): Running => running([bin, '--mock-host', join(folder, host), ...words], { XDG_RUNTIME_DIR: folder })
  const run = (host: 'a' | 'b', ...words: readonly string[]): Promise<Ended> => start(host, ...words).end
  const guests = async (host: 'a' | 'b'): Promise<readonly string[]> => {
    const { domains } = JSON.parse((await run(host, 'list', '--json')).stdout) as { readonly domains: readonly { readonly name: string; readonly state: string }[] }
    return domains.map(({ name, state }) => `${name} ${state}`)
  }
  return { folder, url, arbiter, start, run, guests }
}

function running(words: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr, ended] = ['', '', false]
  const waiting = new Set<() => void>()
  const note = (): void => waiting.forEach((look) => look())
  child.stdout.on('data', (chunk: Buffer) => ((stdout += chunk.toString()), note()))
  child.stderr.on('data', (chunk: Buffer) => ((stderr += chunk.toString()), note()))
  const end = new Promise<Ended>((resolve) => child.on('close', (code) => ((ended = true), note(), resolve({ code, stdout, stderr }))))
  const until = (text: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = text.test(stdout) || text.test(stderr)
        if (found || ended) waiting.delete(look)
        if (found) resolve()
        else if (ended) reject(new Error(`it ended without ${String(text)}: ${stdout.slice(-2000)}${stderr}`))
      }
      waiting.add(look)
      look()
    })
  return { child, end, until }
}

/** Waits until somebody listens; fails when who should has ended. */
export async function listening(url: string, who: Running): Promise<void> {
  const ended = who.end.then(({ stderr }) => Promise.reject(new Error(`it ended before it listened: ${stderr}`)))
  ended.catch(() => undefined)
  while (!existsSync(url.slice('unix:'.length))) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))])
}

/** Stands between two sides. */
export interface Proxy {
  readonly url: string
  /** Nothing goes through any more, in neither direction; both sides keep their connections. */
  freeze(): void
}

export async function proxy(folder: string, to: string): Promise<Proxy> {
  const path = join(folder, 'p')
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = createConnection({ path: to.slice('unix:'.length), allowHalfOpen: true })
    sockets.push(near, far)
    for (const [from, into] of [[near, far], [far, near]] as const) {
      from.on('error', () => into.destroy())
      from.pipe(into)
    }
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `unix:${path}`,
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
