// How long a QEMU guest stands for a COLO checkpoint, with `xr qemu-backup` and with another QEMU as its secondary, by turns, over unix sockets:
// `node bench/qemu.mjs [--rounds 5] [--checkpoints 100] [--dir FOLDER] [--durability process]`. The guest writes 64 pages again and again. Times are those of the
// primary's own STOP and RESUME events. Needs a C compiler and `as`; build first.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findQemu } from '../tools/qemu.mjs'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, checkpoints: { type: 'string', default: '100' }, dir: { type: 'string', default: tmpdir() }, durability: { type: 'string', default: 'power' } } })
const [rounds, wanted] = [Number(values.rounds), Number(values.checkpoints)]
const DELAY_MS = 50
const source = join(import.meta.dirname, '../packages/qemu/test-real')
const xr = join(import.meta.dirname, '../packages/cli/bin/xr.cjs')
const QEMU = findQemu()
const dir = mkdtempSync(join(values.dir, 'xr-bench-qemu-'))
const children = new Set()
try {
  const rom = prepare()
  const pauses = { qemu: [], xr: [] }
  console.log(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0].toFixed(1)}; ${rounds} rounds by turns of ${wanted} checkpoints each, store in ${values.dir}, durability ${values.durability}`)
  for (let round = 0; round < rounds; round++) {
    for (const who of round % 2 === 0 ? ['qemu', 'xr'] : ['xr', 'qemu']) pauses[who].push(await measure(rom, who, `${round}${who}`))
  }
  for (const [who, all] of Object.entries(pauses)) console.log(`secondary ${who}: p50 ${at(all.flat(), 0.5).toFixed(2)} ms, p90 ${at(all.flat(), 0.9).toFixed(2)}, p99 ${at(all.flat(), 0.99).toFixed(2)}, of ${all.flat().length}`)
  const ratios = pauses.xr.map((all, i) => at(all, 0.5) / at(pauses.qemu[i], 0.5)).sort((a, b) => a - b)
  console.log(`p50 with xr is ${at(ratios, 0.5).toFixed(2)} of that with QEMU (median of rounds; ${ratios.map((one) => one.toFixed(2)).join(', ')})`)
  const { appended, inPlace } = syncTimes()
  console.log(`fdatasync of 270 KiB there: p50 ${appended.toFixed(2)} ms appended, ${inPlace.toFixed(2)} ms in place of others`)
} finally {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all([...children].map((child) => child.ended))
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

function at(all, part) {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length * part)] ?? NaN
}

function prepare() {
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', join(dir, 'keep-lock.so'), join(source, 'keep-lock.c'), '-ldl'])
  execFileSync('as', ['--32', '-o', join(dir, 'rom.o'), join(source, 'counting-rom.S')])
  execFileSync('ld', ['-m', 'elf_i386', '--oformat', 'binary', '-Ttext', '0', '-e', '0', '-o', join(dir, 'rom'), join(dir, 'rom.o')])
  const bytes = readFileSync(join(dir, 'rom'))
  bytes[bytes.length - 1] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
  writeFileSync(join(dir, 'rom'), bytes)
  return join(dir, 'rom')
}

function start(program, args, env = process.env) {
  const child = spawn(program, args, { stdio: 'ignore', env })
  child.ended = new Promise((resolve) => child.once('close', resolve))
  children.add(child)
  return child
}

function startQemu(rom, name, more = []) {
  const monitor = join(dir, `${name}.qmp`)
  const machine = ['-accel', 'tcg', '-machine', 'pc', '-m', '4104k', '-nodefaults', '-display', 'none', '-option-rom', rom]
  const child = start(QEMU, [...machine, '-serial', `file:${join(dir, `${name}.serial`)}`, '-qmp', `unix:${monitor},server=on,wait=off`, ...more], { ...process.env, LD_PRELOAD: join(dir, 'keep-lock.so') })
  return { child, monitor }
}

async function until(so) {
  for (let i = 0; i < 3000; i++) {
    if (so()) return
    await sleep(10)
  }
  throw new Error('it took too long')
}

/** Milliseconds between STOP and RESUME, checkpoint by checkpoint. */
async function measure(rom, who, name) {
  const link = join(dir, `${name}.link`)
  const [primary, secondary] = [startQemu(rom, `${name}p`), secondaryOf(rom, who, name, link)]
  await until(() => existsSync(primary.monitor) && existsSync(link) && existsSync(join(dir, `${name}p.serial`)))
  await sleep(1500) // the guest has begun to count
  const pauses = []
  let stopped
  const qmp = connect(primary.monitor)
  let rest = ''
  qmp.on('data', (bytes) => {
    const lines = (rest + bytes).split('\n')
    rest = lines.pop()
    for (const { event, timestamp } of lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line))) {
      if (event === 'STOP') stopped = timestamp
      if (event === 'RESUME' && stopped !== undefined) pauses.push((timestamp.seconds - stopped.seconds) * 1000 + (timestamp.microseconds - stopped.microseconds) / 1000)
    }
  })
  const say = (execute, args) => qmp.write(`${JSON.stringify({ execute, arguments: args })}\n`)
  say('qmp_capabilities')
  say('migrate-set-capabilities', { capabilities: [{ capability: 'x-colo', state: true }] })
  say('migrate-set-parameters', { 'x-checkpoint-delay': DELAY_MS })
  say('migrate', { uri: `unix:${link}` })
  await until(() => pauses.length >= wanted + 6)
  qmp.destroy()
  for (const { child } of [primary, secondary]) {
    child.kill('SIGKILL')
    await child.ended
    children.delete(child)
  }
  return pauses.slice(6, 6 + wanted) // the first is the begin, and both warm up
}

function secondaryOf(rom, who, name, link) {
  if (who === 'qemu') return startQemu(rom, `${name}s`, ['-incoming', `unix:${link}`])
  return { child: start(process.execPath, [xr, 'qemu-backup', '-q', '--listen', `unix:${link}`, '--durability', values.durability, '--store', join(dir, `${name}.store`)]) }
}

/** What the disk takes for making a checkpoint safe. */
function syncTimes() {
  const script = `const fs = require('node:fs'); const fd = fs.openSync(process.argv[1], 'w'); const b = Buffer.alloc(276000, 1)
const times = () => { const t = []; for (let i = 0; i < 60; i++) { const s = performance.now(); fs.writeSync(fd, b, 0, b.length, i * b.length); fs.fdatasyncSync(fd); t.push(performance.now() - s) }; return t.sort((a, b) => a - b)[30] }
console.log(JSON.stringify({ appended: times(), inPlace: times() }))`
  return JSON.parse(execFileSync(process.execPath, ['-e', script, join(dir, 'sync')], { encoding: 'utf8' }))
}
