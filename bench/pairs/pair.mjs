// Two simulated hosts, and an `xr` on each that protects a guest of the first one.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLink } from './link.mjs'
import { freePort, isListening } from './ports.mjs'
import { started } from './processes.mjs'
import { openToldHost } from './told-host.mjs'

const bin = process.env.XR_BIN ?? join(import.meta.dirname, '../../packages/cli/bin/xr.js')
const plugin = join(import.meta.dirname, 'told-host.mjs')
const MEMORY_BYTES = 4 << 20

/** An `xr` and what it says. */
class Xr {
  events = []
  stderr = ''
  /** Status or name of a signal, once it has ended. */
  ended
  #waiting = []
  #calledOff = false

  constructor(host, folder, words) {
    const env = { ...process.env, XDG_RUNTIME_DIR: join(folder, `run-${host}`), XDG_CONFIG_HOME: folder, XR_WORLD: join(folder, 'world'), XR_HOST: host }
    this.child = started(process.execPath, [bin, '--backend', 'told', '--plugin', plugin, '--mock-host', join(folder, host), ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#hear(line))
    this.child.stderr.on('data', (text) => (this.stderr += text))
    this.gone = new Promise((resolve) => this.child.once('close', (code, signal) => resolve((this.ended = code ?? signal))))
    void this.gone.then(() => this.#wake())
  }

  /** Waits for an event. @returns whether it came before the process ended or `ms` were over */
  async until(fits, ms) {
    const over = performance.now() + ms
    while (!this.events.some(fits)) {
      const left = over - performance.now()
      if (this.ended !== undefined || left <= 0) return false
      await Promise.race([new Promise((resolve) => this.#waiting.push(resolve)), sleep(left, undefined, { ref: false })])
    }
    return true
  }

  /** As Ctrl-C does, once: the second one would end it at once. */
  callOff() {
    if (!this.#calledOff) this.child.kill('SIGINT')
    this.#calledOff = true
  }

  #hear(line) {
    try {
      this.events.push(JSON.parse(line))
    } catch {
      this.stderr += `not JSON: ${line}\n`
    }
    this.#wake()
  }

  #wake() {
    for (const one of this.#waiting.splice(0)) one()
  }
}

/** @param folder of its own; @param names of the guests; @param choice options of both that say who decides; @param interval in milliseconds */
export async function startPair({ folder, names, choice, interval, seed, kind }) {
  for (const name of ['run-a', 'run-b']) mkdirSync(join(folder, name), { recursive: true })
  const host = await openToldHost(join(folder, 'a'))
  for (const [n, name] of names.entries()) await host.createGuest({ name, kind, memoryBytes: MEMORY_BYTES, workload: 'zipf', rate: 3000, seed: seed * 8 + n })
  await host.close()
  const port = await freePort()
  const b = new Xr('b', folder, ['receive', ...choice, `tcp://127.0.0.1:${port}`, '--jsonl'])
  while (!isListening(port)) {
    if (b.ended !== undefined) throw new Error(`the backup does not start: ${b.stderr}`)
    await sleep(10)
  }
  const link = await openLink(port)
  const a = new Xr('a', folder, ['remus', '-i', String(interval), ...choice, ...names, `tcp://127.0.0.1:${link.port}`, '--jsonl'])
  const dead = new Set()
  return {
    a,
    b,
    link,
    dead,
    /** A command typed on a host; does not wait. */
    type: (side, ...words) => new Xr(side, folder, words),
    /** The host dies, with its guests. */
    loseHost: async (side, xr) => {
      dead.add(side)
      xr.child.kill('SIGKILL')
      await xr.gone
      renameSync(join(folder, side), join(folder, `${side}-dead`))
      rmSync(join(folder, `run-${side}`), { recursive: true, force: true })
    },
    /** Guests of a host that lives. */
    guests: async (side) => (dead.has(side) ? [] : await guestsIn(join(folder, side))),
    /** Notes of guests that somebody protects, or stands in for, on hosts that live. */
    underWay: () => ['a', 'b'].filter((side) => !dead.has(side)).flatMap((side) => notesIn(join(folder, `run-${side}`, 'xr'))),
    world: () => worldIn(join(folder, 'world')),
    end: async () => {
      for (const { child } of [a, b]) child.kill('SIGKILL')
      await Promise.all([a.gone, b.gone])
      link.close()
    },
  }
}

async function guestsIn(folder) {
  const host = await openToldHost(folder)
  const found = (await host.list()).map(({ name, uuid, domId, paused, shutdown }) => ({ name, uuid, domId, state: shutdown ?? (paused ? 'paused' : 'runs') }))
  await host.close()
  return found
}

function notesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.protects')) : []
}

function worldIn(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
