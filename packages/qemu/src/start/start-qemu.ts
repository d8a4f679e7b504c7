import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { writeQemuStream, type QemuState } from '@xen-replication/format'
import { QemuError } from '../qemu-error.ts'

/** The descriptor on which the new QEMU gets its state. */
const STATE_FD = 3

/** How a QEMU that was started ended. */
export interface QemuExit {
  /** Its exit status; undefined where a signal ended it. */
  readonly status: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** A QEMU that has its state. */
export interface StartedQemu {
  readonly pid: number
  /** Resolves when it ends. */
  readonly exit: Promise<QemuExit>
  kill(signal: NodeJS.Signals): void
}

/**
 * Starts a QEMU that goes on from a state. It shares standard input, output and error with this process.
 *
 * @param command the program and its options, with a machine like that of the state; `-incoming` is added
 * @throws QemuError QEMU_START; FormatError, and what reading the state throws: the QEMU is ended then
 */
export async function startQemu([program = '', ...options]: readonly string[], state: QemuState): Promise<StartedQemu> {
  const child = spawn(program, [...options, '-incoming', `fd:${STATE_FD}`], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] })
  const exit = exitOf(child)
  await once(child, 'spawn').catch((error: unknown) => Promise.reject(notStarted(program, error)))
  const pipe = child.stdio[STATE_FD] as Writable
  pipe.on('error', () => undefined) // a QEMU that ends while it is read to is told of by its exit
  try {
    await writeQemuStream(state, { write: (parts) => writeTo(pipe, parts, exit) })
    pipe.end()
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return { pid: child.pid ?? 0, exit, kill: (signal) => void child.kill(signal) }
}

async function exitOf(child: ChildProcess): Promise<QemuExit> {
  return new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status: status ?? undefined, signal: signal ?? undefined })))
}

async function writeTo(pipe: Writable, parts: readonly Uint8Array[], exit: Promise<QemuExit>): Promise<void> {
  if (parts.length === 0) return
  const written = new Promise<'written' | 'broken'>((resolve) => pipe.write(Buffer.concat(parts), (error) => resolve(error ? 'broken' : 'written')))
  const first = await Promise.race([written, exit])
  const ended = first === 'broken' ? await exit : first // who no longer reads has ended, or is about to
  if (ended === 'written') return
  throw new QemuError('QEMU_START', `QEMU ended with ${ended.signal ?? ended.status} before it had its state`, { hint: 'it said why; machine, memory and devices must be those of the primary' })
}

function notStarted(program: string, cause: unknown): QemuError {
  return new QemuError('QEMU_START', `'${program}' could not be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
