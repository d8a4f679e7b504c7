import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QmpCommands } from '@xen-replication/qemu-disk'

const program = process.env['XR_QEMU'] ?? 'qemu-system-x86_64'

/** Whether there is a QEMU to test with: the one of XR_QEMU, or an installed one. */
export function qemuThere(): boolean {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).includes('QEMU')
  } catch {
    return false
  }
}

export const MIB = 1 << 20

export interface Qemu extends QmpCommands {
  readonly dir: string
  /** Writes 64 KiB of one byte as the guest would. */
  write(drive: string, offset: number, byte: number): Promise<void>
  /** Whether 64 KiB are all of one byte. */
  holds(drive: string, offset: number, byte: number): Promise<boolean>
  /** At once. */
  kill(): Promise<void>
  remove(): Promise<void>
}

/** A folder with a disk of 16 MiB in it. */
export function diskFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'xr-qemu-disk-'))
  writeFileSync(join(dir, 'disk.raw'), '')
  truncateSync(join(dir, 'disk.raw'), 16 * MIB)
  return dir
}

/** An empty layer over a disk of 16 MiB, in the format that QEMU needs for it. */
export async function makeLayer(qemu: QmpCommands, path: string): Promise<void> {
  const execute = qemu.execute.bind(qemu)
  const job = async (options: object): Promise<void> => {
    await execute('blockdev-create', { 'job-id': 'make', options })
    for (;;) {
      const [one] = (await execute('query-jobs')) as readonly { status: string; error?: string }[]
      if (one?.error !== undefined) throw new Error(one.error)
      if (one?.status === 'concluded') break
      await sleep(20)
    }
    await execute('job-dismiss', { id: 'make' })
  }
  await job({ driver: 'file', filename: path, size: 0 })
  await execute('blockdev-add', { driver: 'file', 'node-name': 'made', filename: path })
  await job({ driver: 'qcow2', file: 'made', size: 16 * MIB })
  await execute('blockdev-del', { 'node-name': 'made' })
}

/** A machine without a guest. @param drives the values of -drive, `DIR` standing for its folder. */
export async function startQemu(dir: string, drives: readonly string[]): Promise<Qemu> {
  const args = ['-machine', 'pc', '-m', '16', '-nodefaults', '-display', 'none', '-accel', 'tcg', '-S', '-qmp', `unix:${dir}/qmp,server=on,wait=off`]
  const child = spawn(program, [...args, ...drives.flatMap((drive) => ['-drive', drive.replaceAll('DIR', dir)])], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()))
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
      return undefined
    })
  const execute = await monitor(`${dir}/qmp`, () => child.exitCode !== null)
  await execute('qmp_capabilities')
  /** What QEMU prints for it: that goes to its standard output, not to the monitor. */
  const io = async (drive: string, command: string): Promise<string> => {
    const before = printed.length
    const refused = String(await execute('human-monitor-command', { 'command-line': `qemu-io ${drive} "${command}"` }))
    if (refused !== '') throw new Error(refused)
    for (let i = 0; !/ at offset .*\n.*ops|failed:/s.test(printed.slice(before)); i++) {
      if (i > 3000) throw new Error(`qemu-io said nothing: ${command}`)
      await sleep(10)
    }
    return printed.slice(before)
  }
  return {
    dir,
    execute,
    write: async (drive, offset, byte) => {
      const said = await io(drive, `write -P ${byte} ${offset} 64k`)
      if (!said.includes('wrote 65536/65536 bytes')) throw new Error(said)
    },
    holds: async (drive, offset, byte) => {
      const said = await io(drive, `read -P ${byte} ${offset} 64k`)
      if (!said.includes('read 65536/65536 bytes')) throw new Error(said)
      return !said.includes('verification failed')
    },
    kill,
    remove: async () => {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function monitor(path: string, isGone: () => boolean): Promise<QmpCommands['execute']> {
  let socket: Socket | undefined
  for (let i = 0; socket === undefined && i < 400; i++) {
    if (isGone()) throw new Error('QEMU ended')
    socket = await new Promise((resolve) => {
      const tried = connect(path, () => resolve(tried))
      tried.once('error', () => void sleep(50).then(() => resolve(undefined)))
    })
  }
  if (socket === undefined) throw new Error('QEMU does not get ready')
  const waiting: ((message: Record<string, unknown>) => void)[] = []
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString()
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines.filter((one) => one.trim() !== '')) {
      const message = JSON.parse(line) as Record<string, unknown>
      if ('return' in message || 'error' in message) waiting.shift()?.(message)
    }
  })
  socket.on('close', () => waiting.splice(0).forEach((tell) => tell({ error: { desc: 'QEMU is gone' } })))
  return (command, args) =>
    new Promise((resolve, reject) => {
      waiting.push((message) => ('error' in message ? reject(new Error((message['error'] as { desc: string }).desc)) : resolve(message['return'])))
      if (socket.destroyed) waiting.splice(0).forEach((tell) => tell({ error: { desc: 'QEMU is gone' } }))
      else socket.write(JSON.stringify({ execute: command, arguments: args }))
    })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
