// Guests protected by xr remus: the primary's host dies, either xr is killed at random, the link is slow and loses packets, xl is at the other end.
// Words: parts to do, else all; `epochs=N` (100); and how many times to kill (8), and the seed of the moments.
import { environment, peerEnvironment } from '../ends.mjs'
import { sendingHostDies } from '../flows.mjs'
import { countOf, create, destroyAll, domains, domid, guest, runsOn } from '../guests.mjs'
import { acknowledged, backupName, endAll, epochsCome, firstCount, kill, listener, newArbiter, pausesOf, places, primaryHostDies, sides, startBackup, startPrimary, storedEpochs, watchStops } from '../protection.mjs'
import { numbers } from '../random.mjs'
import { run, sleep, start, until } from '../run.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()
const epochsWanted = Number(/epochs=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 100)
const logs = '/scratch/out'
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0

const row = (what, it, primary, { epochs, seconds, overS, more = {} }) =>
  tap.row('remus between two xr', { what, guest: it.kind, epochs, 's an epoch': (seconds / epochs).toFixed(2), 'pause ms, median': median(pausesOf(primary)).toFixed(0), 'taken over after s': overS.toFixed(1), ...more })

/** Nothing is left for the next check. */
async function clear() {
  await endAll()
  await destroyAll()
}

/** An HVM guest is there again with exactly what it had counted to at the last checkpoint that the backup had. */
async function hostDies(what, it, count) {
  await tap.check(`${it.kind}: ${count} epochs between two xr, ${what}, the primary's host dies, the backup goes on from the last epoch it has`, async () => {
    await create(it)
    const id = await domid(it.name), arbiter = newArbiter(it.name), log = `${logs}/${it.name}`
    const backup = await startBackup(it, { arbiter, log, then: ['-p'] })
    const watch = await watchStops(id, '0x9000')
    const primary = startPrimary(it, { arbiter })
    const seconds = await epochsCome(primary, count)
    await primaryHostDies(id, primary)
    const began = performance.now(), said = await backup.ended, overS = (performance.now() - began) / 1000
    watch.stop()
    const epochs = storedEpochs(said, log), told = acknowledged(primary), stops = watch.stops()
    const there = await domid(backupName(it))
    must(there !== undefined, 'there is no backup')
    const found = await countOf(there)
    must(epochs === told || epochs === told + 1, `the primary knew of ${told} epochs, the backup of ${epochs}`)
    must(found === stops[epochs - 1], `the backup has counted to ${found}; at its last epoch, number ${epochs}, the guest had to ${stops[epochs - 1]}; at the ones around: ${stops.slice(-6).join(' ')} (${stops.length} in all)`)
    await run(['xl', 'unpause', String(there)])
    await runsOn(it, found, { id: there, seconds: 400 })
    row(what, it, primary, { epochs, seconds, overS, more: { 'counted to': found, 'at its last epoch': stops[epochs - 1] } })
  })
  await clear()
}

/** A guest that speaks with somebody outside over one connection, before and after. */
async function connectionLives() {
  const it = guest('pvh', 'remus-pvh', { vif: 'bridge=br0,mac=00:16:3e:00:00:07', extra: 'dirty=64 tick=0.2 net=10.0.0.2/24 to=10.0.0.1' })
  const outside = await listener()
  await tap.check(`pvh: ${epochsWanted} epochs between two xr, output held back, the primary's host dies, the backup goes on and its connection with it`, async () => {
    await create(it)
    await until('the guest speaks', () => outside.last() > 2, { seconds: 600 })
    const id = await domid(it.name), arbiter = newArbiter(it.name), log = `${logs}/${it.name}`
    const backup = await startBackup(it, { arbiter, log })
    const primary = startPrimary(it, { arbiter })
    const seconds = await epochsCome(primary, epochsWanted)
    const plugged = (await run(['tc', 'qdisc', 'show'])).out
    must(/qdisc plug \S+ dev xr-vif/.test(plugged), `no packets are held back:\n${plugged}`)
    await primaryHostDies(id, primary)
    const seenBefore = outside.last()
    const began = performance.now(), said = await backup.ended, overS = (performance.now() - began) / 1000
    const epochs = storedEpochs(said, log), told = acknowledged(primary)
    must(epochs === told || epochs === told + 1, `the primary knew of ${told} epochs, the backup of ${epochs}`)
    await runsOn(it, seenBefore, { id: await domid(backupName(it)), seconds: 400 })
    const next = await until('the console of the backup is logged', () => firstCount(backupName(it)), { seconds: 300 })
    must(seenBefore < next, `the outside has seen ${seenBefore}, and the backup went on with ${next}: what was seen was undone`)
    await until('the connection goes on', () => outside.last() > seenBefore + 5, { seconds: 900 })
    must(outside.seen.connections === 1 && outside.inOrder(), `${outside.seen.connections} connections, counts ${outside.inOrder() ? 'in order' : 'out of order'}`)
    row('network held back', it, primary, { epochs, seconds, overS, more: { 'seen outside': seenBefore, 'went on with': next } })
  })
  outside.close()
  await clear()
  await run(['ip', 'link', 'del', 'br0'])
}

/** Either xr is killed at a random moment of a protection that has begun: the guest runs once, on the side that is left. */
async function killed(number, random) {
  const it = guest('hvm', `remus-kill-${number}`), who = random.next().value < 0.5 ? 'primary' : 'backup', afterMs = random.next().value * 8000
  await tap.check(`${number}: the xr of the ${who} killed ${(afterMs / 1000).toFixed(1)} s after the first epoch: the guest runs once`, async () => {
    const counted = await create(it), arbiter = newArbiter(it.name)
    const backup = await startBackup(it, { arbiter, log: `${logs}/${it.name}` })
    const primary = startPrimary(it, { arbiter })
    await epochsCome(primary, 1)
    await sleep(afterMs)
    const epochs = acknowledged(primary)
    kill((await sides())[who])
    const [ended] = await Promise.all([primary.ended, backup.ended])
    must(who === 'primary' || ended.status === 5, `xr remus ended with ${ended.status}: ${ended.err.split('\n').slice(-4).join('\n')}`)
    const wanted = who === 'primary' ? backupName(it) : it.name
    await until('nothing is under way', async () => (await domains()).every(({ name }) => !name.endsWith('--incoming')), { seconds: 600, everyMs: 1000 })
    const there = await until('the guest runs somewhere', async () => { const list = await places(it); return list.length > 0 && list }, { seconds: 600 })
    must(there.length === 1 && there[0].name === wanted, `it runs as ${there.map(({ name, state }) => `${name} (${state})`).join(', ')}, not only as ${wanted}`)
    await runsOn(it, who === 'primary' ? 0 : counted, { id: there[0].id })
    must((await places(it)).length === 1, 'later it runs twice')
    tap.row('killed at random', { killed: who, 'after s': (afterMs / 1000).toFixed(1), epochs, 'runs as': there[0].name })
  })
  await clear()
}

/** xr on one end, xl on the other. */
async function withXl(sender) {
  const it = guest('hvm', `remus-${sender}`), log = `${logs}/${it.name}`
  const title = sender === 'xl' ? 'xl remus to xr receive --xl' : 'xr remus --peer xl to xl migrate-receive -r'
  await tap.check(`hvm: ${title}, 20 checkpoints, the primary's host dies, the backup runs`, async () => {
    const before = await create(it), id = await domid(it.name), watch = await watchStops(id, '0x9000')
    const primary = sender === 'xl' ? xlRemus(it, log) : startPrimary(it, { more: ['--peer', 'xl'], to: `exec:env PEER_KEEP= PEER_LOG=${log} peer xl -v migrate-receive -r` })
    await until('20 checkpoints were taken', () => watch.stops().length > 20, { seconds: 1200 })
    if (sender === 'xl') await sendingHostDies(it, primary)
    else await primaryHostDies(id, primary)
    watch.stop()
    const there = await until('a backup runs', async () => (await places(it)).find((one) => one.id !== id), { seconds: 600 })
    await runsOn(it, before, { id: there.id })
    tap.row('xl at the other end', { what: title, checkpoints: watch.stops().length, 'runs as': there.name })
  })
  await clear()
}

const xlRemus = (it, log) => start(['xl', 'remus', '-F', '-n', '-d', '-e', '-i', '200', '-s', '', it.name, `peer xr receive --xl -r --unsafe-no-arbiter --name ${backupName(it)}`], { env: environment('C', peerEnvironment('xr', log, { keep: '' })), seconds: 900 })

const [times = 8, seed = 1] = process.argv.slice(2).filter((word) => /^\d+$/.test(word)).map(Number)
const parts = {
  hvm: () => hostDies('a link without losses', guest('hvm', 'remus-hvm'), epochsWanted),
  pvh: connectionLives,
  netem: async () => {
    await run(['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '40ms', '10ms', 'loss', '1%'])
    await hostDies('delay 40 ms, loss 1 %', guest('hvm', 'remus-netem'), 30)
    await run(['tc', 'qdisc', 'del', 'dev', 'lo', 'root'])
  },
  xl: async () => {
    await withXl('xl')
    await withXl('xr')
  },
  kill: async () => {
    const random = numbers(seed)
    tap.note(`seed ${seed}`)
    for (let number = 1; number <= times; number++) await killed(number, random)
  },
}

const wanted = process.argv.slice(2).filter((word) => !/^\d+$|=/.test(word))
for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await part()
tap.end()
