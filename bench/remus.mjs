// What checkpoints cost and how many come when they are due: two hosts in processes of their own, a guest that writes so many pages a second.
// `node bench/remus.mjs --help` tells the options.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Missed } from '@xen-replication/observers'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    interval: { type: 'string', default: '25' },
    rate: { type: 'string', default: '12000' },
    memory: { type: 'string', default: '64' },
    compress: { type: 'string', default: 'auto' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(`node bench/remus.mjs [--seconds 60] [--interval 25] [--rate 12000] [--memory 64] [--compress auto] [--json FILE]
A guest of MEMORY MiB writes RATE pages a second, one after the other; a checkpoint is due every INTERVAL ms.`)
  process.exit(0)
}

/** A machine that is busy with other things is not to be taken for a dead one, in milliseconds. */
const FAILURE_MS = 10_000
const script = new URL('remus-host.mjs', import.meta.url)
const [seconds, interval, rate] = [values.seconds, values.interval, values.rate].map(Number)
const folder = mkdtempSync(join(tmpdir(), 'xr-remus-'))
const job = { url: `unix:${join(folder, 'link')}`, arbiter: `file:${join(folder, 'arbiter')}` }
mkdirSync(join(folder, 'arbiter'))
const children = []
try {
  const backup = started('backup', '{}')
  await backup.says('ready')
  backup.child.send(job)
  await backup.says('listening')
  await setTimeout(50)
  const primary = started('primary', JSON.stringify({ ...job, interval, failureMs: FAILURE_MS, compression: values.compress, quiet: true, guest: { memoryBytes: Number(values.memory) << 20, workload: 'sequential', rate } }))
  await primary.says('event') // its memory is copied
  await setTimeout(1000) // what was held up by the copy is over
  for (const { child } of [primary, backup]) child.send('mark')
  const from = performance.timeOrigin + performance.now()
  await setTimeout(seconds * 1000)
  const to = performance.timeOrigin + performance.now()
  primary.child.send('stop')
  const [sent, got] = await Promise.all([primary.says('ended'), backup.says('took')])
  await primary.gone.catch(() => undefined) // a profile is written on the way out
  tell(sent, got, from, to)
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

function started(...args) {
  const child = fork(script, args)
  children.push(child)
  const said = []
  let wake = () => undefined
  child.on('message', (message) => {
    said.push(message)
    wake()
  })
  const gone = new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`))))
  gone.catch(() => undefined)
  return {
    child,
    gone,
    says: async (what) => {
      for (;;) {
        const at = said.findIndex((message) => what in message)
        if (at >= 0) return said.splice(at, 1)[0]
        await Promise.race([new Promise((resolve) => (wake = resolve)), gone])
      }
    },
  }
}

function tell({ kept, ended, cpu }, got, from, to) {
  if (ended !== 'TOOL_INTERRUPTED') throw new Error(`the replication ended before its time: ${ended}, ${got.error}`)
  const within = kept.filter(({ at }) => at >= from && at <= to)
  const of = (kind, name) => within.filter((event) => event.kind === kind).map(({ data }) => data[name]).sort((a, b) => a - b)
  const missed = new Missed(interval)
  for (const { kind, at, data } of within) if (kind === 'epoch.acknowledged') missed.began(at - data.latencyMs)
  const [pages, pauses, latencies, held] = [of('epoch.staged', 'pages'), of('epoch.staged', 'pauseMs'), of('epoch.acknowledged', 'latencyMs'), of('epoch.released', 'heldMs')]
  const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  const ms = (sorted) => [0.5, 0.9, 0.99].map((share) => at(sorted, share).toFixed(2)).join(', ')
  const count = latencies.length
  const due = ((to - from) / interval).toFixed(0)
  const report = { seconds, interval, rate, count, due: Number(due), missed: missed.count, share: missed.share, pages: at(pages, 0.5), pause: at(pauses, 0.5), latency: at(latencies, 0.5), load: loadavg()[0], ended }
  console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
  console.log(`a checkpoint every ${interval} ms for ${seconds} s, ${rate} pages written a second: ${count} checkpoints of ${due} due, ${missed.count} epochs missed (${(100 * missed.share).toFixed(2)} %)`)
  console.log(`pages of a checkpoint, p50, p90, p99: ${[0.5, 0.9, 0.99].map((share) => at(pages, share)).join(', ')}`)
  console.log(`pause in ms: ${ms(pauses)}; until acknowledged: ${ms(latencies)}; output held: ${ms(held)}`)
  const [mine, theirs] = [cpu, got.cpu].map(({ user, system }) => `${((user + system) / 1e3 / count).toFixed(2)} ms`)
  const pagesInAll = pages.reduce((sum, one) => sum + one, 0)
  const perPage = [cpu, got.cpu].map(({ user, system }) => `${((user + system) / pagesInAll).toFixed(1)} µs`)
  console.log(`processor time of a page: primary ${perPage[0]}, backup ${perPage[1]}`)
  console.log(`processor time of a checkpoint: primary ${mine}, backup ${theirs}; compression ${values.compress}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`)
}
