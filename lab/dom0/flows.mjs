// What is done with a guest, from its start to its end: saved and restored, moved, replicated. Each end of it uses the save helper it is told.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { destroy, domains, domid, onlyOne, runsOn } from './guests.mjs'
import { attempt, run, start, until } from './run.mjs'
import { must } from './tap.mjs'

/** The save helpers under an unmodified xl: Xen's own, ours, and one that measures another. */
export const helpers = { C: undefined, xr: '/opt/xr/bin/xr-save-helper', metered: '/opt/xr/lab/dom0/bin/metered-helper.mjs' }

/** Whether this workspace has the helper. */
export const available = (helper) => helpers[helper] === undefined || existsSync(helpers[helper])

/** @param {'C' | 'xr'} helper @returns {Record<string, string>} environment for xl */
const under = (helper, more = {}) => (helpers[helper] === undefined ? more : { LIBXL_SAVE_HELPER: helpers[helper], ...more })

const twinHelper = '/opt/xr/lab/dom0/bin/twin-helper.mjs'

/** The program behind a helper's name. */
export const programOf = (helper) => helpers[helper] ?? `${process.env.XEN_BIN}/libxl-save-helper`

const mib = (file) => `${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`

/** `xl save`: the file it wrote, how long it took. With `keep`, the guest runs on; else it must be gone. */
export async function save(it, { helper, file, keep = [] }) {
  rmSync(file, { force: true })
  const { seconds } = await run(['xl', 'save', ...keep, it.name, file], { env: under(helper) })
  const there = (await domid(it.name)) !== undefined
  must(there === keep.length > 0, there ? 'the guest is still there' : 'the guest is gone')
  return { seconds, size: mib(file) }
}

/** `xl restore` under a helper: it must then be there once. */
export async function restore(it, { helper, file, options = [] }) {
  const { seconds } = await run(['xl', 'restore', ...options, file], { env: under(helper) })
  await onlyOne(it)
  return { seconds }
}

/** Xen's own checker of streams must accept the file. */
export const verify = (file) => run([`${process.env.XEN_BIN}/verify-stream-v2`, '-f', 'xl', '-i', file], { seconds: 240 })

/** The environment of `peer`. @param {string} log path, without its ending */
const peer = (log, { helper, limit, keep = 'yes' }) => ({
  PEER_LOG: log,
  PEER_KEEP: keep,
  ...(helpers[helper] === undefined ? {} : { PEER_HELPER: helpers[helper] }),
  ...(limit === undefined ? {} : { PEER_LIMIT: String(limit) }),
})

const received = (log) => (existsSync(`${log}.err`) ? readFileSync(`${log}.err`, 'utf8') : '')

/** `xl migrate` to a receiver on this host: the guest must be another domain afterwards, and the only one. */
export async function migrate(it, { sender, receiver, log }) {
  const before = await domid(it.name)
  const moved = await attempt(['xl', 'migrate', '-s', '', it.name, 'peer migrate-receive'], { env: under(sender, peer(log, { helper: receiver })), seconds: 240 })
  must(moved.status === 0, `xl migrate: ${moved.status}\n${moved.err.split('\n').filter((line) => !/progress/.test(line)).slice(-8).join('\n')}\nreceiver:\n${received(log).split('\n').slice(-8).join('\n')}`)
  await onlyOne(it)
  must((await domid(it.name)) !== before, 'the guest did not become another domain')
  return { seconds: moved.seconds }
}

/** Checkpoints that a receiver of `xl remus` has taken in. */
export const checkpoints = (log) => received(log).match(/checkpoint.*processed|All records buffered/gi)?.length ?? 0

/**
 * Several helpers save one suspended guest in turn: each stream is a file, `file.0`, `file.1`, … in the order of `programs`.
 *
 * @param {readonly string[]} programs save helpers
 */
export async function saveTwins(it, { programs, file }) {
  await run(['xl', 'save', it.name, `${file}.xl`], { env: { LIBXL_SAVE_HELPER: twinHelper, TWINS: programs.join(' '), TWIN_OUT: file }, seconds: 240 })
  for (let at = 1; at < programs.length; at++) {
    const { status, completed } = JSON.parse(readFileSync(`${file}.${at}.json`, 'utf8'))
    must(status === 0 && completed?.[0] === 0, `${programs[at]}: exit ${status}, completed with ${completed}`)
  }
}

/** Starts `xl remus` to a receiver on this host. */
export function replicate(it, { sender, receiver, log, limit, keep, intervalMs = 200, seconds = 300 }) {
  const argv = ['xl', '-v', 'remus', '-F', '-n', '-d', '-e', '-i', String(intervalMs), '-s', '', it.name, 'peer migrate-receive -r -e']
  return start(argv, { env: under(sender, peer(log, { helper: receiver, limit, keep })), seconds })
}

/** Starts `xl remus` into nowhere. */
export const replicateNowhere = (it, { sender, intervalMs = 200, seconds = 300 }) =>
  start(['xl', '-v', 'remus', '-F', '-b', '-n', '-d', '-i', String(intervalMs), it.name, 'nowhere'], { env: under(sender), seconds })

/** The processes of the sending side: xl and its save helper. */
function sendingSide(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean)
  const saving = children.filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('--save-domain'))
  return [pid, ...saving.map(Number)]
}

/** The sending host dies: its processes at once, then its guest. */
export async function sendingHostDies(it, sender) {
  for (const pid of sendingSide(sender.pid)) process.kill(pid, 'SIGKILL')
  await destroy(await domid(it.name))
  await sender.ended
}

/** The backup must take over and count on from where the replicated guest was. */
export async function backupRuns(it, above) {
  const id = await until('a backup is left', async () => (await domains()).find(({ name, state }) => name.startsWith(it.name) && !state.includes('p'))?.id, { seconds: 30 })
  return runsOn(it, above, { id, seconds: 40 })
}
