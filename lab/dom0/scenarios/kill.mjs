// Killed at random moments: our process, the peer, the device model. The guest must run on at exactly one place, and nothing be left of the run.
// Words: how many times (12), and the seed of the moments.
import { environment, peerEnvironment, saveCommand, sendCommand } from '../ends.mjs'
import { create, destroy, destroyAll, domains, domid, guest, runsOn } from '../guests.mjs'
import { followed, leftOver, residue } from '../residue.mjs'
import { run, sleep, start, until } from '../run.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()
const [times = 12, seed = 1] = process.argv.slice(2).map(Number)

/** Numbers from 0 to 1 that a seed repeats. Source: mulberry32. */
function* numbers(state) {
  for (;;) {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    yield ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

const processes = async (pattern) => (await run(['ps', '-eo', 'pid,args'])).out.split('\n').filter((line) => pattern.test(line)).map((line) => Number.parseInt(line, 10))

/** What saves, sends or receives. The `xl` that goes on to watch over a guest it has received is a child of nobody's. */
const atWork = /migrate-receive|--(?:save|restore)-domain|xl migrate|xl save|xr(?:\.cjs)? (?:migrate|receive)/
const working = async () => (await run(['ps', '-eo', 'ppid,args'])).out.split('\n').filter((line) => atWork.test(line) && !(/^\s*1\s/.test(line) && line.includes('migrate-receive')))

/** Who is killed. Each gives the process ids. */
const victims = {
  'our sender': () => processes(/xr-save-helper.*--save-domain|xr(?:\.cjs)? (?:migrate|save) /),
  'the receiving side': () => processes(/migrate-receive|xr(?:\.cjs)? receive|--restore-domain/),
  'the device model': (id) => processes(new RegExp(`qemu-system.*-xen-domid ${id} `)),
}

const peer = (log, end) => ({ env: environment(end, peerEnvironment(end, log, { keep: '' })), seconds: 200 })

/** What is under way when it happens. */
const runs = {
  'xl migrate': (it, log) => start(sendCommand(it, 'ours', 'ours'), peer(log, 'ours')),
  'xl save -c': (it) => start(saveCommand('ours', it, `/scratch/${it.name}.xl`, ['-c']), { env: environment('ours') }),
  'xr migrate': (it, log) => start(sendCommand(it, 'xr', 'xr'), peer(log, 'xr')),
}

/** Domains of the guest's name that are not on their way out. */
const copies = async (it) => (await domains()).filter(({ name, state }) => name.startsWith(it.name) && !state.includes('d'))

/** Places where the guest runs: copies that are neither paused nor shut down. */
const places = async (it) => (await copies(it)).filter(({ state }) => !/[ps]/.test(state))

/** libxl lets no guest go on whose device model does not answer; that is so with Xen's own helper, too. `xr` does. */
const staysStanding = (what, victim) => what.startsWith('xl ') && victim === 'the device model'

/** One guest, one run, one kill; then a look at what there is. */
async function once(number, { run: what, victim, afterMs }) {
  await tap.check(`${number}: ${what}, ${victim} killed after ${(afterMs / 1000).toFixed(1)} s`, async () => {
    const it = guest('hvm', `kill-${number}`)
    const counted = await create(it), id = await domid(it.name), before = await residue(id)
    const under = runs[what](it, `/scratch/out/kill-${number}`)
    await sleep(afterMs)
    const pids = await victims[victim](id)
    for (const pid of pids) try { process.kill(pid, 'SIGKILL') } catch { /* it has just ended */ }
    const hit = pids.length > 0 ? 'killed' : 'not there any more, or not yet'
    const { status } = await under.ended
    await settled()
    if (what.startsWith('xl ') && victim === 'the receiving side') await otherHostIsGone(it)
    if (staysStanding(what, victim)) await oneIsThere(it)
    else await oneRuns(it, counted)
    must((await followed()).length === 0, `Xen still follows what domain ${(await followed()).join(', ')} writes`)
    await sameAsBefore(it, before)
    tap.row('kill', { run: what, killed: victim, 'after s': (afterMs / 1000).toFixed(1), hit, 'run ended with': status, 'is there as': (await copies(it)).map(({ name, state }) => `${name} (${/[ps]/.test(state) ? 'stands' : 'runs'})`).join() })
  })
  await destroyAll()
}

/** Both sides have ended, whatever they still had to do. */
const settled = () => until('both sides have ended', async () => (await working()).length === 0, { seconds: 90, everyMs: 1000 })

/** It runs, once, and goes on counting. */
async function oneRuns(it, counted) {
  const there = await until('the guest runs somewhere', async () => { const list = await places(it); return list.length > 0 && list }, { seconds: 20 })
  must(there.length === 1, `it runs ${there.length} times: ${there.map(({ name, id }) => `${name} (${id})`).join(', ')}`)
  await runsOn(it, counted, { id: there[0].id })
}

/** With `xl` went the host it ran on, and with that the guest it had half built; libxl leaves it. `xr receive` leaves none. */
async function otherHostIsGone(it) {
  for (const { name, id } of await domains()) if (name === `${it.name}--incoming`) await destroy(id)
}

/** It is there once, running or not. */
async function oneIsThere(it) {
  const there = await copies(it)
  must(there.length === 1, `it is there ${there.length} times: ${there.map(({ name, id, state }) => `${name} (${id}, ${state})`).join(', ')}`)
}

async function sameAsBefore(it, before) {
  const left = leftOver(before, await residue((await copies(it))[0].id)).filter((line) => !/\/DOM\/control|--incoming|\/memory\//.test(line))
  must(left.length === 0, `left behind:\n${left.slice(0, 12).join('\n')}`)
}

const random = numbers(seed)
const pick = (list) => list[Math.floor(random.next().value * list.length)]
tap.note(`seed ${seed}`)
for (let number = 1; number <= times; number++) await once(number, { run: pick(Object.keys(runs)), victim: pick(Object.keys(victims)), afterMs: 500 + random.next().value * 12_000 })
tap.end()
