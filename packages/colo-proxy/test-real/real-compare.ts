import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { VnetWord } from '@xen-replication/colo-proxy'
import { onTestFinished } from 'vitest'

/** The program; `npm run test:qemu` gives it. */
const QEMU = process.env['XR_QEMU'] ?? 'qemu-system-x86_64'
const VNET_BYTES = 12

/** A QEMU without a guest that compares what it is given. */
export interface RealCompare {
  readonly notify: string
  readonly primary: Socket
  readonly secondary: Socket
  /** Frames that it has let go, in hex. */
  left(): readonly string[]
  /** What QEMU has printed. */
  said(): string
  kill(): Promise<void>
}

export async function realCompare(vnet: VnetWord, options = ''): Promise<RealCompare> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-real-compare-'))
  const at = (name: string): string => join(folder, name)
  const args = ['-accel', 'tcg', '-machine', 'none', '-nodefaults', '-display', 'none', '-S']
  for (const name of ['pri', 'sec', 'out', 'ntf']) args.push('-chardev', `socket,id=${name},path=${at(name)},server=on,wait=off`)
  args.push('-object', 'iothread,id=io1', '-object', `colo-compare,id=cmp0,primary_in=pri,secondary_in=sec,outdev=out,notify_dev=ntf,iothread=io1${vnet === 'with' ? ',vnet_hdr_support=on' : ''}${options}`)
  const child = spawn(QEMU, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: Buffer[] = []
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  })
  while (!existsSync(at('ntf'))) {
    if (child.exitCode !== null) throw new Error(`QEMU ended with ${child.exitCode}: ${Buffer.concat(said).toString()}`)
    await setTimeout(20)
  }
  const [primary, secondary, out] = [await dialled(at('pri')), await dialled(at('sec')), await dialled(at('out'))]
  let text = ''
  out.on('data', (bytes) => (text += bytes.toString('hex')))
  return { notify: at('ntf'), primary, secondary, left: () => framesIn(text, vnet), said: () => Buffer.concat(said).toString(), kill }
}

/** A server's socket is there a moment before anybody listens at it. */
async function dialled(path: string): Promise<Socket> {
  for (let tries = 0; ; tries += 1) {
    const socket = connect(path)
    const error = await new Promise<Error | undefined>((resolve) => socket.once('connect', () => resolve(undefined)).once('error', resolve))
    if (error === undefined) {
      onTestFinished(() => void socket.destroy())
      return socket.on('error', () => undefined)
    }
    if (tries === 100) throw error
    await setTimeout(50)
  }
}

/** A frame as filters send it to each other. */
export function piped(frame: Uint8Array, vnet: VnetWord): Buffer {
  const header = vnet === 'with' ? VNET_BYTES : 0
  const head = Buffer.alloc((vnet === 'with' ? 8 : 4) + header)
  head.writeUInt32BE(header + frame.length)
  if (vnet === 'with') head.writeUInt32BE(header, 4)
  return Buffer.concat([head, frame])
}

function framesIn(text: string, vnet: VnetWord): string[] {
  const frames: string[] = []
  const words = vnet === 'with' ? 2 : 1
  for (let at = 0; at + 8 <= text.length; ) {
    const from = at + words * 8
    const end = from + Number.parseInt(text.slice(at, at + 8), 16) * 2
    if (end > text.length) break
    frames.push(text.slice(from + (vnet === 'with' ? VNET_BYTES * 2 : 0), end))
    at = end
  }
  return frames
}

export async function until(what: string, so: () => boolean, seconds = 30): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await setTimeout(10)) if (so()) return
  throw new Error(`it took too long: ${what}`)
}
