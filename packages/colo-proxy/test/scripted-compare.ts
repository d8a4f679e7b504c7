import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openRemoteComparer, type RemoteComparerOptions } from '@xen-replication/colo-proxy'
import type { Clock, RemoteComparator } from '@xen-replication/hypervisor'
import { unixTransport } from '@xen-replication/transports'
import { onTestFinished } from 'vitest'

const clock: Clock = { now: () => performance.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }) }

/** A word as colo-compare sends it. */
export const word = (text: string): Buffer => {
  const bytes = Buffer.alloc(4 + text.length, 0)
  bytes.writeUInt32BE(text.length)
  bytes.write(text, 4, 'latin1')
  return bytes
}

export interface ScriptedCompare {
  readonly path: string
  /** All that came, in hex. */
  heard(): string
  say(bytes: Uint8Array): void
  hangUp(): void
}

/** A notify_dev that answers what came, or says nothing where `answer` has nothing. */
export async function scriptedCompare(answer: (heard: string) => readonly Uint8Array[]): Promise<ScriptedCompare> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-colo-proxy-'))
  const path = join(folder, 'notify')
  const links: Socket[] = []
  const heard: Buffer[] = []
  const server = createServer((socket) => {
    links.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      heard.push(bytes)
      for (const part of answer(bytes.toString('latin1'))) socket.write(part)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    links.forEach((link) => link.destroy())
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    path,
    heard: () => Buffer.concat(heard).toString('hex'),
    say: (bytes) => links.forEach((link) => link.write(bytes)),
    hangUp: () => links.forEach((link) => link.destroy()),
  }
}

export const ANSWER = word('COLO_COMPARE_GET_XEN_INIT')
export const WANTED = word('DO_CHECKPOINT')
/** As many answers as there are hellos. */
export const answers = (heard: string): readonly Uint8Array[] => heard.match(/COLO_USERSPACE_PROXY_INIT/g)?.map(() => ANSWER) ?? []

export async function opened(path: string, options: Partial<RemoteComparerOptions> = {}): Promise<RemoteComparator> {
  const channel = await unixTransport({ connectTimeoutMs: 20_000 }).dial(`unix:${path}`, new AbortController().signal)
  const comparer = await openRemoteComparer(channel, { clock, answerMs: 20_000, ...options })
  onTestFinished(() => comparer.close())
  return comparer
}

/** Whether a checkpoint is wanted now. */
export async function wants(comparer: RemoteComparator): Promise<boolean> {
  const now = new AbortController()
  const wanted = comparer.diverged(now.signal).then(() => true, () => false)
  await setTimeout(50)
  now.abort(new Error('not now'))
  return wanted
}
