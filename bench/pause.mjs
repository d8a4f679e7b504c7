// How long a guest stands for a staged checkpoint: `node bench/pause.mjs --peer none|throttled|stalled [--epochs N]` prints one line of JSON.
// The guest is simulated and its clock moves only between checkpoints, so that what it does is not part of the time it stands.
import { createMockHost, virtualClock } from '@xen-replication/backend-mock'
import { openImageSaver, StagedSink } from '@xen-replication/libxc-stream'
import { throttled, unixTransport } from '@xen-replication/transports'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const MIB = 2 ** 20
const PAGE = 4096
/** Distinct pages that an epoch is to write, and operations at places by chance that write about so many of them. */
const DIRTY = 2400
const OPERATIONS = 2450
/** 100 Mbit/s, in bytes. */
const THROTTLE = 12_500_000
const WARM_UP = 30
const clock = { now: () => performance.now(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) }

const { values } = parseArgs({ options: { peer: { type: 'string', default: 'none' }, epochs: { type: 'string', default: '300' }, sink: { type: 'string' } } })
if (values.sink !== undefined) serve(values.sink)
else console.log(JSON.stringify(await measure(values.peer, Number(values.epochs))))

/** The other process: takes bytes and forgets them, or does not take them. */
function serve(path) {
  const server = createServer((socket) => {
    if (values.peer !== 'stalled') socket.resume()
    socket.on('error', () => undefined).on('close', () => server.close())
  })
  server.listen(path, () => console.log('ready'))
}

async function measure(peer, epochs) {
  const { sink, close } = await openSink(peer)
  const time = virtualClock()
  const host = createMockHost({ clock: time })
  const domId = await host.createGuest({ name: 'demo', kind: 'hvm', memoryBytes: 512 * MIB, workload: 'uniform', rate: OPERATIONS, fill: 1 })
  const guest = await host.openForSave(domId)
  const saver = await openImageSaver(guest, { mode: 'checkpointed', policy: () => 'stop' })
  const staged = new StagedSink(sink, { bytes: 32 * MIB })
  await saver.begin({ write: () => Promise.resolve() })
  await saver.checkpoint({ write: () => Promise.resolve() })
  await guest.lifecycle.resume('cancelled')
  const pauses = []
  const worked = []
  const dirty = []
  const copies = []
  const floor = plainCopy()
  const releases = []
  for (let epoch = -WARM_UP; epoch < epochs; epoch++) {
    await time.advance(1000)
    await guest.memory.frames() // has the guest do its work now
    dirty.push((await guest.dirty.peek(await guest.memory.frames())).estimate)
    const before = process.cpuUsage()
    const stopped = performance.now()
    await saver.stop()
    await saver.checkpoint(staged)
    await guest.lifecycle.resume('cancelled')
    const resumed = performance.now()
    const { user, system } = process.cpuUsage(before)
    const releasing = staged.release()
    if (peer === 'stalled') {
      releasing.catch(() => undefined)
      return done({ pauses: [resumed - stopped], dirty, releases: [], state: (await guest.lifecycle.state()).shutdown ?? 'running' })
    }
    await releasing
    if (epoch < 0) continue
    pauses.push(resumed - stopped)
    worked.push((user + system) / 1000)
    releases.push(performance.now() - resumed)
    copies.push(floor())
  }
  return done({ pauses, dirty, releases })

  async function done({ pauses, dirty, releases, ...rest }) {
    await close()
    await saver.close()
    await guest.close()
    return { peer, epochs: pauses.length, p50: at(pauses, 0.5), p99: at(pauses, 0.99), max: at(pauses, 1), workedP50: at(worked, 0.5), workedP99: at(worked, 0.99), floorMs: at(copies, 0.5), dirty: at(dirty, 0.5), wanted: DIRTY, releaseMs: at(releases, 0.5), ...rest }
  }
}

/** Where checkpoints go: nowhere, or to another process over a socket. */
async function openSink(peer) {
  if (peer === 'none') return { sink: { write: () => Promise.resolve() }, close: () => Promise.resolve() }
  const dir = mkdtempSync(join(tmpdir(), 'xr-pause-'))
  const path = join(dir, 's')
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--sink', path, '--peer', peer], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const channel = throttled(await unixTransport({ connectTimeoutMs: 5000 }).dial(`unix:${path}`, new AbortController().signal), THROTTLE, clock)
  const close = async () => {
    await channel.close()
    child.kill()
    rmSync(dir, { recursive: true, force: true })
  }
  return { sink: channel, close }
}

/** What no program can do without: copies as many pages from all over memory, and nothing else. @returns ms */
function plainCopy() {
  const area = new Uint8Array(DIRTY * PAGE).fill(1)
  const memory = Array.from({ length: 128 }, () => new Uint8Array(4 * MIB).fill(1))
  let turn = 0
  return () => {
    const began = performance.now()
    turn += 1
    for (let i = 0; i < DIRTY; i++) {
      const page = (i * 54 + turn * 7) % (128 * 1024)
      area.set(memory[page >> 10].subarray((page & 1023) * PAGE, ((page & 1023) + 1) * PAGE), i * PAGE)
    }
    return performance.now() - began
  }
}

function at(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
