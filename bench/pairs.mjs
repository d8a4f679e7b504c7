// Two real `xr` over loopback, with a proxy between them and a real arbiter, and something that goes wrong at a random moment, over and over: whatever it is,
// at most one of the two hosts runs the guest, one of those that can does, and nothing that the world has seen is lost. `node bench/pairs.mjs --help` tells the options.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { hash32 } from '@xen-replication/backend-mock'
import { etcdProgram, startEtcd } from './pairs/etcd.mjs'
import { judge } from './pairs/judge.mjs'
import { startPair } from './pairs/pair.mjs'
import { endAll } from './pairs/processes.mjs'
import { arbiterTroubles, troubles, words } from './pairs/troubles.mjs'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, arbiter: { type: 'string' }, verbose: { type: 'boolean', short: 'v' }, keep: { type: 'boolean' }, help: { type: 'boolean' } } })
if (values.help) {
  console.log(`node bench/pairs.mjs [--runs 200] [--seed 1] [--only TROUBLE] [--arbiter etcd|file] [-v] [--keep]
A run for each seed. --only: those troubles whose name has this in it; --keep: the folder of a run that went wrong is left. What went wrong is told with the seed that does it again;
moments of real processes are never quite the same, so it may take a few tries.`)
  process.exit(0)
}

/** How long everything may take to come to rest once the trouble is over, in milliseconds; a busy machine is slow. */
const REST_MS = 60_000
/** When the trouble begins: so long after the first epoch, or after the start of the primary, at most. */
const WITHIN_MS = { protected: 600, started: 1200 }
const START_MS = 120_000
const INTERVAL_MS = 25

const folder = mkdtempSync(join(tmpdir(), 'xr-pairs-'))
const results = []
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    endAll()
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
const etcd = values.arbiter === 'file' || etcdProgram === undefined ? undefined : await startEtcd(join(folder, 'etcd'))
try {
  for (let run = 0; run < Number(values.runs); run += 1) {
    const seed = Number(values.seed) + run
    const result = await once(seed)
    results.push(result)
    if (values.verbose || result.wrong.length > 0) console.log(lineOf(result))
    for (const one of result.wrong) console.log(`  ${one}`)
  }
} finally {
  await etcd?.stop()
  if (!values.keep) rmSync(folder, { recursive: true, force: true })
}
tell()

async function once(seed) {
  let drawn = 0
  const chance = () => hash32(seed, (drawn += 1)) / 2 ** 32
  const draw = (from, to) => from + chance() * (to - from)
  const pick = (list) => list[Math.floor(chance() * list.length)]
  const trouble = pickTrouble(chance())
  const plan = {
    trouble,
    names: chance() < 0.25 ? ['web', 'db'] : ['demo'],
    kind: pick(['pv', 'pvh', 'hvm']),
    arbiter: etcd === undefined || values.arbiter === 'file' || (values.arbiter === undefined && chance() < 0.3) ? 'file' : 'etcd',
    from: chance() < 0.2 ? 'started' : 'protected',
    befalls: chance() < 0.3 ? pick(Object.keys(arbiterTroubles)) : undefined,
    word: chance() < 0.25 ? pick(Object.keys(words)) : undefined,
  }
  if (plan.arbiter !== 'etcd') plan.befalls = undefined
  const here = join(folder, String(seed))
  mkdirSync(join(here, 'arbiter'), { recursive: true })
  const choice = ['--arbiter', plan.arbiter === 'etcd' ? `${etcd.url}?timeout=1000` : `file:${join(here, 'arbiter')}`]
  const pair = await startPair({ folder: here, names: plan.names, choice, interval: INTERVAL_MS, seed, kind: plan.kind })
  try {
    if (plan.from === 'protected' && !(await pair.a.until(({ event }) => event === 'epoch.acknowledged', START_MS))) return { seed, plan, wrong: [`the first epoch is not acknowledged: ${pair.a.stderr} ${pair.b.stderr}`] }
    const befallen = plan.befalls === undefined ? undefined : sleep(draw(0, WITHIN_MS[plan.from])).then(() => arbiterTroubles[plan.befalls]({ etcd, draw }))
    const typed = plan.word === undefined ? undefined : sleep(draw(0, WITHIN_MS[plan.from])).then(() => words[plan.word]({ pair, names: plan.names }))
    await sleep(draw(0, WITHIN_MS[plan.from]))
    const at = performance.timeOrigin + performance.now()
    await troubles[trouble].run({ pair, draw })
    await Promise.all([befallen, typed])
    await rest(pair)
    await settled(pair)
    const guests = { a: await pair.guests('a'), b: await pair.guests('b') }
    const world = pair.world()
    const took = world.find((line) => line.host === 'b' && line.what === 'unpause')
    const clean = plan.befalls === undefined && plan.word === undefined && plan.from === 'protected' && troubles[trouble].timed
    const wrong = judge({ ...pair, names: plan.names, guests, world })
    return { seed, plan, at, ends: [pair.a.ended, pair.b.ended], guests, failoverMs: clean && took !== undefined ? took.at - at : undefined, wrong, said: wrong.length > 0 ? saidBy(pair) : undefined }
  } finally {
    await pair.end()
    if (!values.keep || results.at(-1)?.wrong.length === 0) rmSync(here, { recursive: true, force: true })
  }
}

function pickTrouble(share) {
  const fitting = Object.entries(troubles).filter(([name]) => values.only === undefined || name.includes(values.only))
  let at = share * fitting.reduce((sum, [, { weight }]) => sum + weight, 0)
  return (fitting.find(([, { weight }]) => (at -= weight) < 0) ?? fitting[0])[0]
}

/** Both have ended, or nobody has a reason to. A side that protects or waits although nothing happened to it is called off. */
async function rest({ a, b }) {
  const over = performance.now() + REST_MS
  for (;;) {
    if (a.ended !== undefined && b.ended !== undefined) return
    if (performance.now() > over) return
    if (a.ended === undefined && b.ended === undefined && isQuiet(a)) a.callOff()
    if (a.ended !== undefined && !b.events.some(({ event }) => event === 'link.up')) b.callOff() // nobody ever came
    await Promise.race([a.ended === undefined ? a.gone : sleep(200), b.ended === undefined ? b.gone : sleep(200), sleep(200)])
  }
}

/** What stands in for a process that was killed has decided. */
async function settled(pair) {
  const over = performance.now() + REST_MS
  while (pair.underWay().length > 0 && performance.now() < over) await sleep(100)
}

/** It has gone on with epochs since the trouble: nothing came of it. */
function isQuiet(xr) {
  const now = xr.events.filter(({ event }) => event === 'epoch.released').length
  const quiet = (xr.seen ?? Infinity) + 20 < now
  xr.seen = Math.min(xr.seen ?? now, now)
  return quiet
}

function saidBy({ a, b }) {
  return [a, b].map(({ stderr, events }, n) => `  ${'ab'[n]}: ${stderr.trim().replaceAll('\n', '\n     ')}\n     ${events.filter(({ event }) => event === 'strategy.move').slice(-6).map(({ from, on, to }) => `${from} -${on}-> ${to}`).join(', ')}`).join('\n')
}

function lineOf({ seed, plan, ends, guests, failoverMs, wrong, said }) {
  const { names, kind, arbiter, trouble, from, befalls, word } = plan
  const what = [`seed ${seed}`, `${names.join('+')} (${kind}, ${arbiter})`, `${trouble} (once ${from})`, befalls, word].filter((part) => part !== undefined).join(', ')
  const end = guests === undefined ? '' : `: a ${ends?.[0]} ${guests.a.map(({ name, state }) => `${name} ${state}`)}; b ${ends?.[1]} ${guests.b.map(({ name, state }) => `${name} ${state}`)}${failoverMs === undefined ? '' : `; ${failoverMs.toFixed(0)} ms`}`
  return `${wrong.length > 0 ? 'WRONG ' : ''}${what}${end}${said === undefined ? '' : `\n${said}`}`
}

function tell() {
  const times = results.flatMap(({ failoverMs }) => (failoverMs === undefined ? [] : [failoverMs])).sort((a, b) => a - b)
  const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)]?.toFixed(0)
  const bad = results.filter(({ wrong }) => wrong.length > 0)
  const ran = (side) => results.filter(({ guests }) => guests?.[side].some(({ state }) => state === 'runs')).length
  console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
  console.log(`${results.length} pairs of real processes, ${new Set(results.map(({ plan }) => plan.trouble)).size} kinds of trouble, etcd stopped or hung in ${results.filter(({ plan }) => plan.befalls !== undefined).length}: the guest runs on at the primary in ${ran('a')}, at the backup in ${ran('b')}`)
  if (times.length > 0) console.log(`from kill -9 of the primary until its guest runs at the backup, processes started by the command line: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms (${times.length} times)`)
  console.log(bad.length === 0 ? 'never two active, nothing lost that the world had seen, all came to an end' : `${bad.length} WRONG: seeds ${bad.map(({ seed }) => seed).join(', ')}`)
  if (bad.length > 0) process.exitCode = 1
}
