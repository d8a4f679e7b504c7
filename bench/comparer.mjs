// How many packets a second the comparer of COLO takes: `node bench/comparer.mjs [--rounds 11] [--packets 20000] [--qemu]`. Each packet of the primary
// meets the same of the secondary and leaves. Beside it, in the same rounds by turns, what copying the bytes of both takes; and with --qemu what
// colo-compare of a real QEMU takes, which reads them from unix sockets besides. Times are those of processors, not of the clock. Build first.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { packetComparer } from '../packages/comparer/dist/index.js'
import { findQemu } from '../tools/qemu.mjs'
import { median } from './measure.mjs'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' }, packets: { type: 'string', default: '20000' }, qemu: { type: 'boolean', default: false } } })
const [rounds, count] = [Number(values.rounds), Number(values.packets)]

const ETHERNET = 14
const IPV4 = 20

function frame(protocol, rest, connection) {
  const bytes = Buffer.alloc(ETHERNET + IPV4 + rest.length)
  bytes.writeUInt16BE(0x0800, 12)
  bytes[14] = 0x45
  bytes.writeUInt16BE(IPV4 + rest.length, 16)
  bytes[23] = protocol
  bytes.writeUInt32BE(0x0a000002, 26)
  bytes.writeUInt32BE(0x0a010000 + connection, 30)
  rest.copy(bytes, ETHERNET + IPV4)
  return bytes
}

function udp(n, connection) {
  const rest = Buffer.alloc(8 + 64, n & 255)
  rest.writeUInt32BE(53 * 65536 + 4000, 0)
  rest.writeUInt16BE(rest.length, 4)
  return frame(17, rest, connection)
}

function tcp(seq, bytes, connection) {
  const rest = Buffer.alloc(20 + bytes, seq & 255)
  rest.writeUInt32BE(80 * 65536 + 4000, 0)
  rest.writeUInt32BE(seq, 4)
  rest.writeUInt32BE(1, 8)
  rest[12] = 0x50
  rest[13] = 0x10
  return frame(6, rest, connection)
}

const MSS = 1448
/** The same bytes wherever segments end. */
const patterned = (seq, bytes) => {
  const made = tcp(seq, bytes, 0)
  for (let at = 0; at < bytes; at += 1) made[ETHERNET + IPV4 + 20 + at] = (seq + at) * 31
  return made
}

const each = (make) => Array.from({ length: count }, (_, n) => make(n))
const cases = {
  'TCP, 1448 bytes, one connection': () => ({ mine: each((n) => tcp(n * MSS, MSS, 0)) }),
  'TCP, 1448 bytes, 1000 connections': () => ({ mine: each((n) => tcp(Math.floor(n / 1000) * MSS, MSS, n % 1000)) }),
  'TCP, 1448 bytes, cut otherwise': () => ({ mine: each((n) => patterned(n * MSS, MSS)), theirs: [patterned(0, 700), ...each((n) => patterned(n * MSS + 700, n === count - 1 ? MSS - 700 : MSS))] }),
  'UDP, 64 bytes, one conversation': () => ({ mine: each((n) => udp(n, 0)) }),
  'UDP, 64 bytes, 1000 conversations': () => ({ mine: each((n) => udp(n, n % 1000)) }),
}

const since = (began) => {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

function compareAll({ mine, theirs }) {
  const comparer = packetComparer()
  let left = 0
  const began = process.cpuUsage()
  for (let n = 0; n < theirs.length; n += 1) {
    if (n < mine.length) left += comparer.primary({ card: 'net0', bytes: mine[n] }, n).release.length
    left += comparer.secondary({ card: 'net0', bytes: theirs[n] }, n).release.length
  }
  const ms = since(began)
  if (left !== mine.length) throw new Error(`${left} of ${mine.length} packets left`)
  return ms
}

function copyAll({ mine, theirs }) {
  const to = Buffer.alloc(65536)
  const began = process.cpuUsage()
  for (const frames of [mine, theirs]) for (const one of frames) one.copy(to)
  return since(began)
}

const mean = (times) => times.reduce((sum, ms) => sum + ms, 0) / times.length
const figures = (ms) => `${Math.round(count / ms)}k packets/s, ${((ms * 1000) / count).toFixed(2)} µs each`

console.log(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0].toFixed(1)}; ${rounds} rounds of ${count} packets of each side`)
const qemu = values.qemu ? await startCompare() : undefined
try {
  for (const [name, make] of Object.entries(cases)) {
    const { mine, theirs = mine.map((one) => Buffer.from(one)) } = make()
    const frames = { mine, theirs }
    const times = { xr: [], copy: [], qemu: [] }
    for (let round = -1; round < rounds; round++) {
      const took = { xr: compareAll(frames), copy: copyAll(frames), qemu: qemu === undefined ? 0 : await qemu.compareAll(frames) }
      if (round >= 0) for (const [who, ms] of Object.entries(took)) times[who].push(ms)
    }
    const against = (who) => median(times.xr.map((ms, n) => ms / times[who][n]))
    console.log(`${name}: ${figures(median(times.xr))}, ${against('copy').toFixed(1)} times a copy of both${qemu === undefined ? '' : `; colo-compare ${figures(mean(times.qemu))}, xr takes ${(mean(times.xr) / mean(times.qemu)).toFixed(2)} of its time`}`)
  }
} finally {
  await qemu?.end()
}

/** What a process has used of processors. Its unit is 10 ms. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** colo-compare of a QEMU without a guest. Every case has other connections there, as it remembers those of before. */
async function startCompare() {
  const dir = mkdtempSync(join(tmpdir(), 'xr-bench-compare-'))
  const names = ['pri', 'sec', 'out']
  const chardevs = names.flatMap((name) => ['-chardev', `socket,id=${name},path=${join(dir, name)},server=on,wait=off`])
  const args = ['-accel', 'tcg', '-machine', 'none', '-nodefaults', '-display', 'none', '-S', ...chardevs, '-object', 'iothread,id=io1', '-object', 'colo-compare,id=cmp0,primary_in=pri,secondary_in=sec,outdev=out,iothread=io1,max_queue_size=1000000']
  const child = spawn(findQemu(), args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  for (let n = 0; !existsSync(join(dir, 'out')); n++) {
    if (n === 500) throw new Error('QEMU does not start')
    await sleep(20)
  }
  await sleep(200)
  const [pri, sec, out] = names.map((name) => connect(join(dir, name)))
  let bytes = 0
  let told = () => undefined
  out.on('data', (part) => told((bytes += part.length)))
  let run = 0
  const piped = (frames) => Buffer.concat(frames.flatMap((one) => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(one.length)
    const other = Buffer.from(one)
    other[27] = run // another address
    other[28] = run >>> 8
    return [head, other]
  }))
  return {
    compareAll: async ({ mine, theirs }) => {
      run += 1
      const [here, there] = [piped(mine), piped(theirs)]
      bytes = 0
      const began = cpuMs(child.pid)
      const all = new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`colo-compare let ${bytes} of ${here.length} bytes go`)), 120_000)
        told = (so) => so === here.length && resolve(clearTimeout(late))
      })
      pri.write(here)
      sec.write(there)
      await all
      return cpuMs(child.pid) - began
    },
    end: async () => {
      for (const socket of [pri, sec, out]) socket.destroy()
      child.kill('SIGKILL')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
