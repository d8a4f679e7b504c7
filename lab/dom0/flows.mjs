// What is done with a guest, from its start to its end: saved and restored, moved, replicated.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { environment, peerEnvironment, programOf, remusCommand, remusNowhereCommand, restoreCommand, saveCommand, sendCommand } from './ends.mjs'
import { backUnderItsName, destroy, domains, domid, onlyOne, runsOn } from './guests.mjs'
import { attempt, run, start, until } from './run.mjs'
import { must } from './tap.mjs'

const mib = (file) => `${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`
const lastLines = (text) => text.split('\n').filter((line) => line.trim() !== '' && !/progress/.test(line)).slice(-8).join('\n')

/** A guest is saved: the file's size, how long it took. With `-c` to keep it, the guest runs on; else it must be gone. */
export async function save(it, { by, file, keep = [] }) {
  rmSync(file, { force: true })
  const { seconds } = await run(saveCommand(by, it, file, keep), { env: environment(by) })
  const there = (await domid(it.name)) !== undefined
  must(there === keep.length > 0, there ? 'the guest is still there' : 'the guest is gone')
  return { seconds, size: mib(file) }
}

/** A guest is restored: it must then be there once. */
export async function restore(it, { by, file }) {
  const { seconds } = await run(restoreCommand(by, file), { env: environment(by) })
  await onlyOne(it)
  return { seconds }
}

/** Xen's own checker of streams must accept the file. */
export const verify = (file) => run([`${process.env.XEN_BIN}/verify-stream-v2`, '-f', 'xl', '-i', file], { seconds: 400 })

/** What the receiving side said. */
export const received = (log) => (existsSync(`${log}.err`) ? readFileSync(`${log}.err`, 'utf8') : '')

/** A guest is moved to a receiver on this host: it must be another domain afterwards, and the only one. */
export async function migrate(it, { sender, receiver, log }) {
  const before = await domid(it.name)
  const moved = await attempt(sendCommand(it, sender, receiver), { env: environment(sender, peerEnvironment(receiver, log)), seconds: 600 })
  must(moved.status === 0, `sender: ${moved.status}\n${lastLines(moved.out + moved.err)}\nreceiver:\n${lastLines(received(log))}`)
  await onlyOne(it)
  await backUnderItsName(it)
  must((await domid(it.name)) !== before, 'the guest did not become another domain')
  return { seconds: moved.seconds }
}

/** Several helpers save one suspended guest in turn: each stream is a file, `file.0`, `file.1`, … in the order of `ends`. */
export async function saveTwins(it, { ends, file }) {
  const env = { LIBXL_SAVE_HELPER: '/opt/xr/lab/dom0/bin/twin-helper.mjs', TWINS: ends.map(programOf).join(' '), TWIN_OUT: file }
  await run(['xl', 'save', it.name, `${file}.xl`], { env, seconds: 600 })
  for (let at = 1; at < ends.length; at++) {
    const { status, completed } = JSON.parse(readFileSync(`${file}.${at}.json`, 'utf8'))
    must(status === 0 && completed?.[0] === 0, `${ends[at]}: exit ${status}, completed with ${completed}`)
  }
}

/** Checkpoints that a receiver has taken in, as it says under -v. */
export const checkpoints = (log) => received(log).match(/All records buffered|checkpoint \d+ processed/g)?.length ?? 0

/** Starts replication to a receiver on this host. */
export const replicate = (it, { sender, receiver, log, limit, keep, metered, intervalMs = 200, seconds = 900 }) =>
  start(remusCommand(it, intervalMs), { env: environment(sender, { metered, ...peerEnvironment(receiver, log, { limit, keep }) }), seconds })

/** Starts replication into nowhere. */
export const replicateNowhere = (it, { sender, intervalMs = 200, seconds = 300 }) => start(remusNowhereCommand(it, intervalMs), { env: environment(sender), seconds })

/** The processes of the sending side: xl and its save helper. */
export function sendingSide(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean)
  const saving = children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('--save-domain'))
  return [pid, ...saving.map(Number)]
}

/** The sending host dies: its processes at once, then its guest. */
export async function sendingHostDies(it, sender) {
  const id = await domid(it.name)
  for (const pid of sendingSide(sender.pid)) process.kill(pid, 'SIGKILL')
  await destroy(id)
  await sender.ended
}

/** The backup must take over and count on from where the replicated guest was. */
export async function backupRuns(it, above) {
  const id = await until('a backup is left', async () => (await domains()).find(({ name, state }) => name.startsWith(it.name) && !state.includes('p'))?.id, { seconds: 120 })
  return runsOn(it, above, { id, seconds: 120 })
}
