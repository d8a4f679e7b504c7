// A real etcd, stopped and started at will.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './ports.mjs'
import { started } from './processes.mjs'

const unpacked = join(import.meta.dirname, '../../.cache/debian/etcd-server/usr/bin')

/** Unpacked by `tools/debian-package.sh etcd-server`, or installed; undefined where there is none. */
export const etcdProgram = [unpacked, ...(process.env.PATH ?? '').split(delimiter)].map((folder) => join(folder, 'etcd')).find(existsSync)

/** @param folder for its data */
export async function startEtcd(folder) {
  const [port, peerPort] = [await freePort(), await freePort()]
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  let child
  const start = async () => {
    child = started(etcdProgram, ['--name', 'one', '--data-dir', folder, '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer,
      '--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`, '--logger', 'zap', '--log-outputs', 'stderr', '--log-level', 'error'], { stdio: 'ignore', env: { PATH: process.env.PATH } })
    for (let tries = 0; tries < 400; tries += 1) {
      if (child.exitCode !== null) throw new Error(`etcd ended with status ${child.exitCode}`)
      if (await fetch(`${client}/v3/kv/range`, { method: 'POST', body: '{"key":"eA=="}', signal: AbortSignal.timeout(1000) }).then(({ ok }) => ok, () => false)) return
      await sleep(50)
    }
    throw new Error('etcd does not get ready')
  }
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  await start()
  return { url: `etcd://127.0.0.1:${port}/xr`, start, stop, hang: () => child.kill('SIGSTOP'), goOn: () => child.kill('SIGCONT') }
}
