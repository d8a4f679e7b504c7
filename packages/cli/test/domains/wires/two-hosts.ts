import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { scratch, xr, type Ran } from '../../run-xr.ts'

// The built command, as a user would run it; the test task builds first.
const bin = fileURLToPath(new URL('../../../bin/xr.js', import.meta.url))

/** How a command ended; `code` is null when it was killed. */
interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly end: Promise<Ended>
}

/** A simulated host in a folder of its own. */
export function host() {
  const folder = scratch()
  const on = (...args: readonly string[]): Promise<Ran> => xr(['--mock-host', folder, ...args])
  const guests = async (): Promise<readonly string[]> => {
    const { domains } = JSON.parse((await on('list', '--json')).stdout) as { readonly domains: readonly { readonly name: string; readonly state: string }[] }
    return domains.map(({ name, state }) => `${name} ${state}`)
  }
  const command = (...args: readonly string[]): readonly string[] => [bin, '--mock-host', folder, ...args]
  /** For a shell. */
  const line = (...args: readonly string[]): string => [process.execPath, ...command(...args)].map((word) => `'${word}'`).join(' ')
  const start = (args: readonly string[], faults = ''): Started => started(command(...args), faults === '' ? {} : { XR_MOCK_FAULTS: faults })
  return { folder, on, guests, line, start }
}

export type Host = ReturnType<typeof host>

/** The same with a guest called demo. */
export async function withDemo(...options: readonly string[]): Promise<Host> {
  const made = host()
  expect(await made.on('create', 'demo', '--memory', '8', '--type', 'pv', '--set', 'fill=1', ...options)).toMatchObject({ exit: 0 })
  return made
}

export const socket = (): string => `unix:${join(scratch(), 's')}`

/** Waits until somebody listens. */
export async function listening(url: string): Promise<void> {
  await until(() => existsSync(url.slice(5)))
}

export async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Starts the command as a process of its own, which does not outlive the test. */
function started(words: readonly string[], env: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return { child, end: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))) }
}

/** For `toMatchObject`. */
export const says = (text: RegExp): string => expect.stringMatching(text) as string
