// How long a failover takes, and whether it ever goes wrong: a primary, in a process of its own, is killed or stopped at a random moment, over and over.
// `node bench/remus-failover.mjs --help` tells the options.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200' }, hang: { type: 'boolean', default: false }, interval: { type: 'string', default: '25' }, help: { type: 'boolean' } } })
if (values.help) {
  console.log(`node bench/remus-failover.mjs [--runs 200] [--interval 25] [--hang]
Kills the primary with SIGKILL; with --hang it is stopped with SIGSTOP, found out by its silence, and let go on once the guest runs elsewhere.`)
  process.exit(0)
}

const GUEST = { memoryBytes: 8 << 20, workload: 'zipf', rate: 5000 }
/** The moment of the kill: so long after the first epoch, at random. */
const WITHIN_MS = 400
const PATIENCE_MS = 30_000
const script = new URL('remus-host.mjs', import.meta.url)
const now = () => performance.timeOrigin + performance.now()

/** A forked host and what it says. */
class Host {
  constructor(...args) {
    this.said = []
    this.waiting = []
    this.child = fork(script, args)
    this.gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.on('message', (message) => {
      this.said.push(message)
      for (const one of this.waiting.splice(0)) one()
    })
  }
  async until(fits, what) {
    const over = now() + PATIENCE_MS
    for (;;) {
      const found = this.said.find(fits)
      if (found !== undefined) return found
      if (now() > over) throw new Error(`${what} did not happen within ${PATIENCE_MS} ms; it said ${JSON.stringify(this.said.slice(-3))}`)
      await Promise.race([new Promise((resolve) => this.waiting.push(resolve)), setTimeout(1000, undefined, { ref: false })])
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'xr-failover-'))
const arbiter = `file:${join(folder, 'arbiter')}`
mkdirSync(join(folder, 'arbiter'))
const backup = new Host('backup')
const results = []
try {
  await backup.until(({ ready }) => ready, 'the start of the backup')
  for (let run = 0; run < Number(values.runs); run++) results.push(await once(run))
} finally {
  backup.child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
tell()

async function once(run) {
  backup.said.length = 0
  const url = `unix:${join(folder, `link-${run}`)}`
  backup.child.send({ url, arbiter })
  await backup.until(({ listening }) => listening, 'the listening of the backup')
  await setTimeout(20)
  const primary = new Host('primary', JSON.stringify({ url, arbiter, interval: Number(values.interval), guest: { ...GUEST, seed: run + 1 } }))
  try {
    await primary.until(({ event }) => event?.kind === 'epoch.acknowledged', 'the first epoch')
    await setTimeout(Math.random() * WITHIN_MS)
    const killedAt = now()
    primary.child.kill(values.hang ? 'SIGSTOP' : 'SIGKILL')
    const took = await backup.until((message) => message.took !== undefined, 'the take-over')
    const [lost, runs] = [(move) => move.event === 'peer-lost', (move) => move.to === 'active'].map((fits) => backup.said.find(({ event }) => event?.kind === 'strategy.move' && fits(event.data))?.event.at)
    await setTimeout(20) // what was said before the kill has come by now
    const seen = Math.max(0, ...primary.said.map(({ packet }) => packet?.ops ?? 0))
    const before = primary.said.length
    const fenced = values.hang ? await fence(primary) : undefined
    const late = values.hang ? primary.said.slice(before).flatMap(({ packet }) => (packet === undefined ? [] : [packet.ops])) : []
    return { detectMs: lost - killedAt, totalMs: runs - killedAt, took: took.took, lost: took.ops < seen, fenced, late: late.length, twice: late.some((ops) => ops > took.ops), error: took.error }
  } finally {
    primary.child.kill('SIGKILL')
    await primary.gone
  }
}

/** A primary that comes to itself again while its guest runs elsewhere. */
async function fence(primary) {
  primary.child.kill('SIGCONT')
  const { ended, left } = await primary.until((message) => message.ended !== undefined, 'the end of the fenced primary')
  return ended === 'TOOL_DENIED' && left === 0
}

function tell() {
  const of = (name, share) => results.map((one) => one[name]).sort((a, b) => a - b)[Math.min(results.length - 1, Math.ceil(share * results.length) - 1)]
  const bad = { 'not taken over': results.filter(({ took }) => !took).length, 'lost what a client had seen': results.filter(({ lost }) => lost).length, 'not fenced': results.filter(({ fenced }) => fenced === false).length, 'told what its backup does not know': results.filter(({ twice }) => twice).length }
  // Output of an epoch that was acknowledged before the stop may still leave: the backup has that epoch.
  const late = results.filter((one) => one.late > 0).length
  for (const { error } of results) if (error !== undefined) console.log(error)
  console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
  console.log(`${results.length} × ${values.hang ? 'SIGSTOP' : 'kill -9'} at random moments, a checkpoint every ${values.interval} ms: detected p50 ${of('detectMs', 0.5).toFixed(0)} ms, p99 ${of('detectMs', 0.99).toFixed(0)} ms; detected and running p50 ${of('totalMs', 0.5).toFixed(0)} ms, p99 ${of('totalMs', 0.99).toFixed(0)} ms, at most ${of('totalMs', 1).toFixed(0)} ms (goal p99 ≤ 500 ms: ${of('totalMs', 0.99) <= 500 ? 'met' : 'missed'}); ${Object.entries(bad).map(([what, count]) => `${what}: ${count}`).join(', ')}${late === 0 ? '' : `; output of an acknowledged epoch left after the stop: ${late}`}`)
  if (Object.values(bad).some((count) => count > 0)) process.exitCode = 1
}
