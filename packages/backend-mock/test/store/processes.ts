import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { afterAll } from 'vitest'

const made: string[] = []
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })))

/** A directory that is gone after the tests of the file that asked for it. */
export function emptyDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'xr-mock-'))
  made.push(path)
  return path
}

/** The package as one file that plain Node runs. */
export async function bundle(): Promise<string> {
  const outDir = emptyDirectory()
  await build({
    configFile: false,
    logLevel: 'silent',
    root: join(import.meta.dirname, '../..'),
    ssr: { noExternal: true, resolve: { conditions: ['@xen-replication/source'] } },
    build: { ssr: 'src/index.ts', outDir, emptyOutDir: false, minify: false, rollupOptions: { output: { entryFileNames: 'mock.mjs' } } },
  })
  return join(outDir, 'mock.mjs')
}

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly errors: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when the process has printed so. */
  printed(text: string): Promise<void>
}

/** Runs a piece of JavaScript in a process of its own; `mock` is the package, `dir` the directory. */
export function start(path: string, dir: string, script: string): Started {
  const code = `import * as mock from ${JSON.stringify(path)}; const dir = ${JSON.stringify(dir)}; ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FORCE_COLOR: '0' } })
  let [out, errors] = ['', '']
  const waiting: (() => void)[] = []
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString()
    waiting.forEach((look) => look())
  })
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out, errors })))
  return {
    child,
    ended,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => (out.includes(text) ? resolve() : undefined)
        waiting.push(look)
        look()
        void ended.then((end) => reject(new Error(`it ended without printing ${text}: ${end.errors}`)))
      }),
  }
}

export const run = (path: string, dir: string, script: string): Promise<Ended> => start(path, dir, script).ended
