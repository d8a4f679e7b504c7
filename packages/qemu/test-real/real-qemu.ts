import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Clock } from '@xen-replication/plugin-api'
import { openQmp, type Qmp } from '@xen-replication/qmp'
import { inject, onTestFinished } from 'vitest'
import { countingRom } from './counting-rom.ts'

/** The program; `npm run test:qemu` gives it. */
export const QEMU = process.env['XR_QEMU'] ?? 'qemu-system-x86_64'

export const clock: Clock = { now: () => performance.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }) }

/** A folder of the test, with what QEMUs need in it. */
export interface Bench {
  readonly folder: string
  /** Options of a machine that counts; 4,104 KiB, as QEMU 7.2 with TCG loses pages where the size is a multiple of 256 KiB. */
  readonly machine: readonly string[]
}

export function bench(guest: 'counts' | 'sends' = 'counts'): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'xr-real-qemu-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return { folder, machine: ['-accel', 'tcg', '-machine', 'pc', '-m', '4104k', '-nodefaults', '-display', 'none', '-option-rom', countingRom(folder, guest)] }
}

/** A QEMU that runs. */
export interface RealQemu {
  readonly process: ChildProcess
  readonly qmp: Qmp
  /** What QEMU itself has printed as errors. */
  said(): string
  /** What it has printed otherwise: answers to `qemu-io`. */
  printed(): string
  /** Lines that its guest has printed. */
  counts(): readonly number[]
  kill(): Promise<void>
}

/** Starts a QEMU whose guest counts. A second monitor is at NAME.watch in the folder. */
export async function startGuest({ folder, machine }: Bench, name: string, more: readonly string[] = []): Promise<RealQemu> {
  const [serial, monitor] = [join(folder, `${name}.serial`), join(folder, `${name}.qmp`)]
  const options = [...machine, '-serial', `file:${serial}`, '-qmp', `unix:${monitor},server=on,wait=off`, '-qmp', `unix:${join(folder, `${name}.watch`)},server=on,wait=off`, '-name', name, ...more]
  const child = spawn(QEMU, options, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LD_PRELOAD: inject('keepLock') } })
  const [said, printed]: readonly [Buffer[], Buffer[]] = [[], []]
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes))
  child.stdout.on('data', (bytes: Buffer) => printed.push(bytes))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  while (!existsSync(monitor)) {
    if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}: ${Buffer.concat(said).toString()}`)
    await setTimeout(20)
  }
  const qmp = await openQmp(monitor, { clock, answerMs: 30_000 }).catch(async () => {
    await setTimeout(500) // the socket is there a moment before anybody listens at it
    return openQmp(monitor, { clock, answerMs: 30_000 })
  })
  onTestFinished(() => qmp.close())
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return { process: child, qmp, said: () => Buffer.concat(said).toString(), printed: () => Buffer.concat(printed).toString(), counts: () => countsIn(serial), kill }
}

/** Digits of a count. */
const DIGITS = 8

/** What a guest has counted, as far as lines are complete: one that was taken back to a checkpoint in the middle of a line says only the end of it. */
export function countsIn(serial: string): readonly number[] {
  const text = existsSync(serial) ? readFileSync(serial, 'latin1') : ''
  return text.split('\n').slice(0, -1).filter((line) => line.length >= DIGITS).map((line) => Number.parseInt(line.slice(-DIGITS), 16))
}

/** Waits until it is so. */
export async function until(what: string, so: () => boolean | Promise<boolean>, seconds = 150): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await setTimeout(20)) if (await so()) return
  throw new Error(`it took too long: ${what}`)
}

/** Has a guest replicate to a URL, with a checkpoint every `delayMs` milliseconds. */
export async function replicate({ qmp }: RealQemu, uri: string, delayMs: number): Promise<void> {
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-colo', state: true }, { capability: 'events', state: true }] })
  await qmp.execute('migrate-set-parameters', { 'x-checkpoint-delay': delayMs })
  await qmp.execute('migrate', { uri })
}

/** A TCP port of this machine that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
