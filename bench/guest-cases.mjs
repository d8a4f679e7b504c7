// Guests that are saved, restored and moved, against tools that only move the same bytes.
import { spawnSync } from 'node:child_process'
import { renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeGuest } from './guests.mjs'
import { has, shell } from './measure.mjs'

const MIB = 2 ** 20
const AT_LEAST = 0.8
/** What a process may take beside the memory of the guest. */
const BESIDE_MIB = 128
const goal = { text: `at least ${AT_LEAST}`, met: (value) => value >= AT_LEAST }

/** Makes what the cases need. @returns paths, and the guest's size */
export function prepareGuests({ xr, dir, bytes }) {
  const host = join(dir, 'host')
  makeGuest({ xr, host, bytes })
  const image = join(dir, 'saved.xl')
  shell(`${xr} --mock-host '${host}' save -q -c demo '${image}'`)
  return { xr, dir, host, image, there: join(dir, 'there'), socket: join(dir, 's'), MiB: bytes / MIB, size: statSync(image).size }
}

/** As `comparisons()`, in pairs: the whole process, and what is left when the start of the program is taken off. */
export function guestComparisons(files) {
  const { xr, host, image, there, socket, dir } = files
  const start = `${xr} --mock-host '${join(dir, 'nobody')}' list`
  const copy = join(dir, 'copy')
  const save = (to) => `${xr} --mock-host '${host}' save -q -c demo '${to}'`
  const move = (options = '') => ({ server: `${xr} --mock-host '${there}' receive -q 'unix:${socket}'`, socket, client: `${xr} --mock-host '${host}' migrate -q ${options} demo 'unix:${socket}'` })
  const sink = (client) => ({ server: `socat -u 'UNIX-LISTEN:${socket}' OPEN:/dev/null`, socket, client })
  const socat = sink(`socat -u 'OPEN:${image}' 'UNIX-CONNECT:${socket}'`)
  /** The guest is there now; the folders change places. */
  const back = (name) => {
    if (!name.startsWith('xr')) return
    rmSync(host, { recursive: true })
    renameSync(there, host)
  }
  const away = () => [there, copy].forEach((path) => rmSync(path, { recursive: true, force: true }))
  const rows = [
    { name: 'guest: save to /dev/null against cat', commands: { start, cat: `cat '${image}' > /dev/null`, xr: save('/dev/null') }, other: 'cat' },
    { name: 'guest: restore against cat into a file', commands: { start, cat: `cat '${image}' > '${copy}'`, xr: `${xr} --mock-host '${there}' restore -q '${image}'` }, other: 'cat', after: away },
    { name: 'guest: save to a unix socket against socat', commands: { start, socat, xr: sink(save(`unix:${socket}`)) }, other: 'socat', needs: 'socat' },
    { name: 'guest: migrate to receive against socat', commands: { start, socat, xr: move() }, other: 'socat', needs: 'socat', after: back },
  ]
  const both = rows.flatMap(({ other, ...row }) => [
    { ...row, figure: (ms) => ms[other] / ms.xr, unit: `of the speed of ${other}`, goal, also: { figure: (ms) => ms[other] / (ms.xr - ms.start), unit: `of the speed of ${other} without the start of the program` } },
  ])
  return [...both, {
    name: 'guest: compression auto against none', commands: { xrNone: move('--compress none'), xrAuto: move('--compress auto') }, after: back,
    figure: (ms) => ms.xrAuto / ms.xrNone, unit: 'of the time of none', goal: { text: 'at most 1.01', met: (value) => value <= 1.01 },
  }]
}

/** Largest process of each. */
export function guestPeaks({ xr, host, image, there, socket, dir, MiB }) {
  const most = MiB + BESIDE_MIB
  const wait = `while [ ! -S '${socket}' ]; do sleep 0.01; done`
  const gone = `rm -rf '${there}' '${socket}'`
  return [
    { name: 'memory: save of a guest', line: `${xr} --mock-host '${host}' save -q -c demo /dev/null`, most },
    { name: 'memory: restore of a guest', line: `${xr} --mock-host '${there}' restore -q '${image}'; ${gone}`, most },
    { name: 'memory: migrate and receive of a guest', line: `${xr} --mock-host '${there}' receive -q 'unix:${socket}' & ${wait}; ${xr} --mock-host '${host}' migrate -q demo 'unix:${socket}'; wait; rm -rf '${host}'; mv '${there}' '${host}'`, most },
  ]
}

const PAUSE_GOALS = { p50: 2, p99: 8 }

/** How long a guest stands for a staged checkpoint, with each kind of peer. */
export function pauses(runs) {
  const program = fileURLToPath(new URL('pause.mjs', import.meta.url))
  const run = (peer, epochs) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--peer', peer, '--epochs', String(epochs)], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`pause.mjs ended with ${status}: ${stderr}`)
    return JSON.parse(stdout)
  }
  return ['none', 'throttled', 'stalled'].map((peer) => {
    const figures = run(peer, peer === 'none' ? 100 * runs : 10 * runs)
    return { name: `guest: pause of a staged checkpoint, peer: ${peer}`, ...figures, met: figures.p50 <= PAUSE_GOALS.p50 && figures.p99 <= PAUSE_GOALS.p99, goal: 'p50 at most 2 ms, p99 at most 8 ms' }
  })
}

/** @returns why a case cannot run here, or undefined */
export const missing = ({ needs }) => (needs === undefined || has(needs) ? undefined : `${needs} is not installed`)
