// A guest that `xr remus` protects: two xr of this host, one of them in the part of the other host, and what can be seen of them from outside.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { received } from './flows.mjs'
import { domains } from './guests.mjs'
import { run, start, until } from './run.mjs'
import { must } from './tap.mjs'

/** Where the backup waits. */
const port = 9000
const url = `tcp://127.0.0.1:${port}`

/** The emulator may stand for a minute on a busy machine: only who is silent for longer is gone. A process that dies is found at once. */
const patience = ['--heartbeat', '2s', '--failure-timeout', '240s']

/** A folder both hosts see. @returns {string} the arbiter in it; of another session each time */
export function newArbiter(name) {
  const dir = `/tmp/arbiter-${name}`
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  return `file:${dir}`
}

/** What the guest is called where it is protected. Both hosts are one here. */
export const backupName = (it) => `${it.name}-b`

/** Events of a program that writes one JSON object a line. */
function eventsOf(child) {
  const events = []
  let rest = ''
  child.stdout.on('data', (bytes) => {
    const lines = (rest + bytes).split('\n')
    rest = lines.pop()
    for (const line of lines) if (line.startsWith('{')) events.push(JSON.parse(line))
  })
  return events
}

/** Starts `xr receive` on the other host, and waits until it listens. */
export async function startBackup(it, { arbiter, log, then = [] }) {
  const backup = start(['peer', 'xr', 'receive', ...then, '--arbiter', arbiter, '--name', backupName(it), url], { env: { PEER_LOG: log, PEER_KEEP: '' }, seconds: 3000 })
  let over
  void backup.ended.then((result) => (over = result))
  await until('the backup listens', async () => over !== undefined || listens(), { seconds: 600, everyMs: 500 })
  must(over === undefined, `xr receive ended with ${over?.status}: ${over?.out}${over?.err}${received(log)}`)
  return backup
}

/** Source: proc_pid_net(5); 0A is LISTEN. */
const listens = () => readFileSync('/proc/net/tcp', 'latin1').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`)

/** Starts `xr remus`. `events` fills itself. */
export function startPrimary(it, { arbiter, to = url, more = [], intervalMs = 200 }) {
  const choice = arbiter === undefined ? ['--unsafe-no-arbiter'] : ['--arbiter', arbiter]
  const primary = start(['xr', 'remus', '-i', String(intervalMs), '-d', '-F', ...patience, ...choice, ...more, '--jsonl', it.name, to], { seconds: 3000 })
  return { ...primary, events: eventsOf(primary.child) }
}

const of = (events, kind) => events.filter(({ event }) => event === kind)

/** Epochs that the backup has acknowledged, as the primary tells. */
export const acknowledged = ({ events }) => (of(events, 'epoch.acknowledged').at(-1)?.epoch ?? -1) + 1

/** Pauses of the epochs but the first, in milliseconds, as the primary tells. */
export const pausesOf = ({ events }) => of(events, 'epoch.staged').slice(1).map(({ pauseMs }) => pauseMs)

/** Waits until so many epochs are acknowledged. @returns {Promise<number>} seconds from the first to the last of them */
export async function epochsCome(primary, count, { seconds = 2400 } = {}) {
  let over
  void primary.ended.then((result) => (over = result))
  await until('the first epoch is acknowledged', () => over !== undefined || acknowledged(primary) > 0, { seconds: 1200 })
  const began = performance.now()
  await until(`${count} epochs are acknowledged`, () => over !== undefined || acknowledged(primary) >= count, { seconds })
  must(over === undefined, `xr remus ended with ${over?.status}: ${over?.err.split('\n').slice(-8).join('\n')}`)
  return (performance.now() - began) / 1000
}

/** Processes of the two sides. */
export async function sides() {
  const lines = (await run(['ps', '-eo', 'pid,args'])).out.split('\n')
  const pids = (pattern) => lines.filter((line) => pattern.test(line)).map((line) => Number.parseInt(line, 10))
  return { primary: pids(/node\S* \S*xr\S* remus /), backup: pids(/node\S* \S*xr\S* receive /) }
}

export function kill(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has just ended
    }
  }
}

/** The host of the primary dies: its guest and its xr stop in one moment, then nothing is left of either. */
export async function primaryHostDies(id, primary) {
  await run(['xl', 'pause', String(id)])
  kill((await sides()).primary)
  await primary.ended
  await run(['xl', 'destroy', String(id)])
}

/** How many epochs the backup says it had when it took over. @param {string} log that it was started with */
export function storedEpochs({ out, err }, log) {
  const said = out + err + received(log)
  const [, count] = /and (\d+) epochs/.exec(said) ?? []
  must(count !== undefined, `the backup does not say that it took over: ${said.split('\n').slice(-8).join('\n')}`)
  return Number(count)
}

/** Ends what is left of a check that did not hold. */
export async function endAll() {
  for (const pids of Object.values(await sides())) kill(pids)
}

/** Watches an HVM guest: what it had counted to whenever it stood for a checkpoint. `stops` fills itself. */
export async function watchStops(id, address) {
  const child = spawn('python3', ['/opt/xr/lab/dom0/stops.py', String(id), address], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = []
  child.stdout.on('data', (bytes) => said.push(...String(bytes).split('\n').filter((line) => line !== '')))
  await until('the guest is watched', () => said.includes('ready'), { seconds: 300 })
  return { stop: () => child.kill('SIGKILL'), stops: () => said.filter((line) => line !== 'ready').map(Number) }
}

/** Somebody outside to whom a guest counts over one connection. */
export async function listener() {
  await run(['ip', 'link', 'add', 'br0', 'type', 'bridge'])
  await run(['ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'br0'])
  await run(['ip', 'link', 'set', 'br0', 'up'])
  const seen = { counts: [], connections: 0 }
  const server = createServer((socket) => {
    seen.connections++
    let rest = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      const lines = (rest + bytes).split('\n')
      rest = lines.pop()
      seen.counts.push(...lines.map(Number))
    })
  })
  await new Promise((resolve) => server.listen(7000, '10.0.0.1', resolve))
  return { seen, last: () => seen.counts.at(-1) ?? 0, inOrder: () => seen.counts.every((count, at) => count === at + 1), close: () => server.close() }
}

/** The first count on the console of a guest that was taken over: what it counted next. */
export function firstCount(name) {
  const dir = '/var/log/xen/console'
  const texts = readdirSync(dir).filter((file) => file.startsWith(`guest-${name}`)).map((file) => readFileSync(`${dir}/${file}`, 'latin1'))
  const [, count] = /COUNT (\d+)\r?\n/.exec(texts.join('')) ?? []
  return count === undefined ? undefined : Number(count)
}

/** Domains of a guest, on either host, that run. */
export async function places(it) {
  return (await domains()).filter(({ name, state }) => (name === it.name || name.startsWith(backupName(it))) && !/[psd]/.test(state))
}
