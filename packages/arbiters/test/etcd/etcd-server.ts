import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempDir } from '../temp-dir.ts'

const unpacked = join(import.meta.dirname, '../../../../.cache/debian/etcd-server/usr/bin')

/** Where etcd is: unpacked by `tools/debian-package.sh etcd-server`, or installed. */
export const etcdProgram = [unpacked, ...(process.env['PATH'] ?? '').split(delimiter)].map((dir) => join(dir, 'etcd')).find(existsSync)

/** Whether tests have to fail without it. */
export const etcdRequired = process.env['XR_REQUIRE_ETCD'] === '1'

export interface EtcdServer {
  readonly host: string
  /** HOST:PORT. */
  readonly address: string
  stop(): Promise<void>
  /** With the data that it had. */
  start(): Promise<void>
  /** Asks its JSON gateway. @throws Error when it refuses */
  ask(path: string, document: unknown, headers?: Readonly<Record<string, string>>): Promise<Record<string, unknown>>
  remove(): Promise<void>
}

export interface EtcdOptions {
  /** More of its options. */
  readonly args?: readonly string[]
  readonly scheme?: 'http' | 'https'
  /** When to come back: once it answers, or once its port is open. */
  readonly until?: 'ready' | 'listening'
  /** Other members, which are not there. */
  readonly missing?: readonly string[]
}

/** A server with a folder of its own. */
export async function startEtcd({ args = [], scheme = 'http', until: state = 'ready', missing = [] }: EtcdOptions = {}): Promise<EtcdServer> {
  const dir = tempDir()
  const [port, peerPort] = [await freePort(), await freePort()]
  const [client, peer] = [`${scheme}://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  let running: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const options = ['--name', 'one', '--data-dir', dir.path('data'), '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer,
      '--initial-advertise-peer-urls', peer, '--initial-cluster', [`one=${peer}`, ...missing].join(','), '--log-outputs', 'stderr', '--log-level', 'error', '--logger', 'zap', ...args]
    running = spawn(etcdProgram as string, options, { stdio: 'ignore', env: { PATH: process.env['PATH'] } })
    if (state === 'ready') await untilReady(`${client}/v3/kv/range`, running)
    else await untilListening(port, running)
  }
  const stop = async (): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    await new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill('SIGKILL')
    })
  }
  const ask: EtcdServer['ask'] = async (path, document, headers = {}) => {
    const response = await fetch(`${client}${path}`, { method: 'POST', body: JSON.stringify(document), headers })
    const body = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`)
    return body
  }
  await start()
  return { host: '127.0.0.1', address: `127.0.0.1:${port}`, start, stop, ask, remove: () => stop().then(dir.remove) }
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  await until(child, () => fetch(url, { method: 'POST', body: '{"key":"eA=="}' }).then(({ status }) => status < 500, () => false)) // one that wants a login answers with 400
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  await until(child, () => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  }))
}

async function until(child: ChildProcess, ready: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`etcd ended with status ${child.exitCode}`)
    if (await ready()) return
    await sleep(50)
  }
  throw new Error('etcd does not get ready')
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
