import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { GuardProcess } from './guard.ts'

/** Where the guard's program lies: beside this module, or beside the file that this module was bundled into. */
const PROGRAMS = ['./xen-guard.cjs', './main.js'] as const

/** Standard input, output and error. */
const STANDARD = 3

/**
 * Starts the process that outlives this one. It has a session of its own, so that what ends a job from a terminal does not end it, and none of this
 * process's descriptors: a stream has ended when its writer is gone.
 */
export function startGuard(domId: number, program = guardProgram()): Promise<GuardProcess> {
  const nothing = openSync('/dev/null', 'r+')
  try {
    const others = Array<number>(Math.max(highestDescriptor(), STANDARD - 1)).fill(nothing)
    const child = spawn(process.execPath, [program, String(domId)], { detached: true, cwd: '/', stdio: ['pipe', ...others] })
    const { stdin } = child
    child.on('error', () => undefined)
    child.unref()
    stdin?.on('error', () => undefined) // it was killed, too
    if (stdin instanceof Socket) stdin.unref()
    return Promise.resolve({ tell: (duties) => void stdin?.write(String(duties)), end: () => void stdin?.end() })
  } finally {
    closeSync(nothing)
  }
}

function guardProgram(): string {
  const [bundled, module] = PROGRAMS.map((file) => fileURLToPath(new URL(file, import.meta.url))) as [string, string]
  return existsSync(bundled) ? bundled : module
}

function highestDescriptor(): number {
  return Math.max(...readdirSync('/proc/self/fd').map(Number))
}
