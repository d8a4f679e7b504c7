// Ours against Xen's own, side by side in one boot: a 128 MiB PVH guest saved, restored, and checkpointed to a near and to a slow peer.
import { readFileSync, rmSync } from 'node:fs'
import { environment } from '../ends.mjs'
import { replicate } from '../flows.mjs'
import { create, destroyAll, guest, runsOn } from '../guests.mjs'
import { run, sleep, until } from '../run.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()
const rounds = Number(process.argv[2] ?? 5), checkpointsWanted = 20, slowLink = 100e6 / 8
const size = { memory: 128, extra: 'dirty=2048 tick=0.2' }

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b), half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Runs a command as bash's `time` sees it: seconds of wall clock, and of processor in it and all it waited for. */
async function timed(argv, end) {
  const env = environment(end, { TIMEFORMAT: 'took %R %U %S' })
  const { err } = await run(['bash', '-c', 'time "$@"', 'timed', ...argv], { env, seconds: 400 })
  const [, wall, user, system] = /took ([\d.]+) ([\d.]+) ([\d.]+)/.exec(err)
  return { wall: Number(wall), processor: Number(user) + Number(system) }
}

/** One save and one restore, the file warm in memory in both. */
async function round(it, end, taken) {
  const file = '/scratch/bench.xl'
  rmSync(file, { force: true })
  taken.save[end].push(await timed(['xl', 'save', it.name, file], end))
  taken.restore[end].push(await timed(['xl', 'restore', file], end))
  await runsOn(it, 0)
}

/** Ratio of ours to Xen's, as a row and a check. */
async function compare(what, unit, { C, ours }, limit) {
  const ratio = median(ours) / median(C)
  tap.row('bench', { what, C: median(C).toFixed(2), ours: median(ours).toFixed(2), unit, ratio: ratio.toFixed(2), 'at most': limit ?? '', samples: C.length })
  if (limit !== undefined) await tap.check(`${what}: ours takes at most ${limit} of what C takes`, () => must(ratio <= limit, `${ratio.toFixed(2)}: ${median(ours).toFixed(2)} ${unit} against ${median(C).toFixed(2)} ${unit}`))
}

async function saveAndRestore() {
  const it = guest('pvh', 'bench', size)
  const taken = { save: { C: [], ours: [] }, restore: { C: [], ours: [] } }
  const measured = await tap.check('a guest is saved and restored by both in turn', async () => {
    await create(it)
    for (let at = 0; at < rounds; at++) for (const end of at % 2 === 0 ? ['C', 'ours'] : ['ours', 'C']) await round(it, end, taken)
  })
  if (!measured) return
  for (const what of ['save', 'restore']) {
    const of = (key) => ({ C: taken[what].C.map((one) => one[key]), ours: taken[what].ours.map((one) => one[key]) })
    await compare(what, 's', of('wall'), 1.3)
    await compare(`${what}, processor`, 's', of('processor'))
  }
}

/** The pauses of one replicated guest, in milliseconds; the first is the end of the first copy and is left out. */
async function pauses(it, end, limit) {
  const file = `/scratch/pauses-${end}-${limit ?? 'near'}`, log = `/scratch/out/bench-${end}-${limit ?? 'near'}`
  rmSync(file, { force: true })
  await create(it)
  const taken = () => { try { return readFileSync(file, 'utf8').trim().split('\n').map(Number).slice(1) } catch { return [] } }
  const sender = replicate(it, { sender: end, receiver: 'C', log, limit, keep: '', metered: file, intervalMs: 200, seconds: 500 })
  try {
    await until(`${checkpointsWanted} checkpoints by ${end}`, () => taken().length >= checkpointsWanted, { seconds: 400, everyMs: 1000 })
    return taken()
  } finally {
    process.kill(-sender.pid, 'SIGKILL')
    await sender.ended
    await sleep(1000)
    await destroyAll()
  }
}

async function checkpointPauses(where, limit, atMost) {
  const taken = { C: [], ours: [] }
  const it = guest('pvh', 'bench-remus', size)
  const measured = await tap.check(`${where}: a guest is replicated by both in turn`, async () => {
    for (const end of ['C', 'ours', 'ours', 'C']) taken[end].push(...(await pauses(it, end, limit)))
  })
  if (measured) await compare(`checkpoint pause, ${where}`, 'ms', taken, atMost)
}

await saveAndRestore()
await destroyAll()
await checkpointPauses('local pipe', undefined, 1.0)
await checkpointPauses('peer at 100 Mbit/s', slowLink, 0.1)
tap.end()
