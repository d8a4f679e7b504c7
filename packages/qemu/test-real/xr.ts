import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const XR = join(import.meta.dirname, '../../cli/bin/xr.cjs')

export interface Xr {
  readonly process: ChildProcess
  /** Both outputs. */
  readonly said: () => string
  /** Standard output. */
  readonly out: () => string
  readonly end: Promise<number | null>
}

/** Starts xr as its users do. It is killed when the test is over. */
export function xr(args: readonly string[]): Xr {
  const child = spawn(process.execPath, [XR, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, out] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    out += bytes.toString()
  })
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const end = new Promise<number | null>((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await end
  })
  return { process: child, said: () => said, out: () => out, end }
}

/** How many checkpoints it has told of, with -v. */
export const checkpoints = ({ said }: Xr): number => (said().match(/checkpoint \d+:/g) ?? []).length
