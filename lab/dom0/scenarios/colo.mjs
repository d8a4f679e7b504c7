// A guest that runs on two hosts at once: `xr colo` and `xr receive`. Either host dies, or the guest is handed over: it runs on at one place and counts on.
// Words: how many checkpoints before something happens (10), and the time between them in milliseconds (500).
import { environment, peerEnvironment } from '../ends.mjs'
import { create, destroy, destroyAll, domains, domid, guest, runsOn } from '../guests.mjs'
import { followed } from '../residue.mjs'
import { run, start, until } from '../run.mjs'
import { Tap, must } from '../tap.mjs'
import { mkdirSync, readFileSync } from 'node:fs'

const tap = new Tap()
const [checkpoints = 10, intervalMs = 500] = process.argv.slice(2).map(Number)
const log = (it) => `/scratch/out/${it.name}`
const arbiter = 'file:/scratch/arbiter'
mkdirSync('/scratch/arbiter', { recursive: true })

/** Kills one side. The command line of the primary has that of the other side in it. */
const kill = async (which) => {
  const lines = (await run(['ps', '-eo', 'pid,args'])).out.split('\n').filter((line) => / colo --no-compare/.test(line) === (which === 'primary') && /xr(?:\.cjs)? (?:colo|receive) /.test(line))
  const pids = lines.map((line) => Number.parseInt(line, 10))
  must(pids.length > 0, `nothing of the ${which} runs`)
  for (const pid of pids) try { process.kill(pid, 'SIGKILL') } catch { /* it has just ended */ }
}

/** Has a guest run on both, and waits for checkpoints. */
async function lockstep(it) {
  const output = `${log(it)}.jsonl`
  const there = `peer xr receive -v --arbiter ${arbiter} -`
  const words = ['--no-compare', '-n', '-d', '-F', '-i', `${intervalMs}ms`, '--heartbeat', '2s', '--failure-timeout', '30s', '--arbiter', arbiter, '--jsonl', it.name, `exec:${there}`]
  const sender = start(['bash', '-c', `exec xr colo "$@" > ${output} 2> ${log(it)}.colo.err`, 'xr', ...words], { env: environment('xr', peerEnvironment('xr', log(it), { keep: '' })), seconds: 500 })
  const released = () => { try { return readFileSync(output, 'utf8').match(/"event":"epoch.released"/g)?.length ?? 0 } catch { return 0 } }
  let ended
  sender.ended.then((end) => (ended = end))
  await until(`${checkpoints} checkpoints are acknowledged`, () => {
    if (ended !== undefined) throw new Error(`xr colo ended with ${ended.status}: ${tail(`${log(it)}.colo.err`)}\nthe other side: ${tail(`${log(it)}.err`)}`)
    return released() >= checkpoints
  }, { seconds: 300, everyMs: 500 })
  return { sender, output, released }
}

const tail = (file) => { try { return readFileSync(file, 'utf8').split('\n').filter((line) => line.trim() !== '' && !/progress/.test(line)).slice(-8).join('\n') } catch { return '' } }
const shadowOf = async (it) => (await domains()).find(({ name }) => name === `${it.name}--incoming`)?.id
const places = async (it) => (await domains()).filter(({ name, state }) => name.startsWith(it.name) && !/[psd]/.test(state))

function pauses({ output }) {
  const all = readFileSync(output, 'utf8').split('\n').filter((line) => line.includes('"epoch.staged"')).map((line) => JSON.parse(line)).slice(1)
  const sorted = all.map(({ pauseMs }) => pauseMs).sort((a, b) => a - b)
  const pages = all.map(({ pages }) => pages).sort((a, b) => a - b)
  return { checkpoints: all.length, 'pause ms p50': sorted[Math.floor(sorted.length / 2)]?.toFixed(0), 'longest': sorted.at(-1)?.toFixed(0), 'pages p50': pages[Math.floor(pages.length / 2)] }
}

const first = guest('hvm', 'colo-a')
await tap.check(`an HVM guest runs on both sides, through ${checkpoints} checkpoints, and counts on both`, async () => {
  const counted = await create(first)
  first.pair = await lockstep(first)
  const [here, there] = [await domid(first.name), await shadowOf(first)]
  must(there !== undefined, 'there is no domain that runs along')
  first.counted = await runsOn(first, counted, { id: here })
  await runsOn(first, counted, { id: there })
  tap.row('colo', { what: 'in lock-step', ...pauses(first.pair) })
})
await tap.check('the host of the primary dies: the guest runs on on the other, from where it was', async () => {
  const before = await runsOn(first, 0, { id: await domid(first.name) })
  await kill('primary')
  await destroy(await domid(first.name))
  const [one] = await until('the guest runs under its name', async () => { const list = (await places(first)).filter(({ name }) => name === first.name); return list.length > 0 && list }, { seconds: 120, everyMs: 500 })
  const after = await runsOn(first, 0, { id: one.id })
  must((await places(first)).length === 1, 'it runs more than once')
  must(after >= before - intervalMs, `it had counted to ${before} and is at ${after}`)
  must((await followed()).length === 0, 'Xen still follows what a domain writes')
  tap.row('colo', { what: 'primary killed', checkpoints: first.pair.released(), 'counted before': before, after })
})
await destroyAll()

const second = guest('hvm', 'colo-b')
await tap.check('the other host dies: the guest runs on here, and that it is unprotected is told', async () => {
  const counted = await create(second)
  const { sender, released } = await lockstep(second)
  const id = await domid(second.name), there = await shadowOf(second)
  await kill('other side')
  await destroy(there)
  const { status } = await sender.ended
  must(status === 5, `xr colo ended with ${status}: ${tail(`${log(second)}.colo.err`)}`)
  const after = await runsOn(second, counted, { id })
  must((await places(second)).length === 1, 'it runs more than once')
  must((await followed()).length === 0, 'Xen still follows what a domain writes')
  tap.row('colo', { what: 'other side killed', checkpoints: released(), 'counted before': counted, after })
})
await destroyAll()

const third = guest('hvm', 'colo-c')
await tap.check('`xr failover` hands the guest over: it is another domain then, and the only one', async () => {
  const counted = await create(third)
  const { sender, released } = await lockstep(third)
  const id = await domid(third.name)
  await run(['xr', 'failover', third.name], { seconds: 200 })
  const { status } = await sender.ended
  must(status === 0, `xr colo ended with ${status}: ${tail(`${log(third)}.colo.err`)}`)
  const there = await domid(third.name)
  must(there !== undefined && there !== id, 'the guest did not become another domain')
  const after = await runsOn(third, counted, { id: there })
  tap.row('colo', { what: 'handed over', checkpoints: released(), 'counted before': counted, after })
})
await destroyAll()
tap.end()
