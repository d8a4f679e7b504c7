// The checks that scenarios are made of: a kind of guest, and who is at each end.
import { rmSync } from 'node:fs'
import { differences, unexplained } from './compare-streams.mjs'
import { environment, peerEnvironment, sendCommand } from './ends.mjs'
import { backupRuns, checkpoints, migrate, received, replicate, replicateNowhere, restore, save, saveTwins, sendingHostDies, verify } from './flows.mjs'
import { create, destroyAll, guest, onlyOne, runsOn } from './guests.mjs'
import { attempt, sleep, until } from './run.mjs'
import { must } from './tap.mjs'

const logs = '/scratch/out'

/** One guest, saved by one end and restored by another, as many times as there are pairs; Xen's verifier looks at each file that is not C's. */
export async function savedAndRestored(tap, kind, pairs, size) {
  const it = guest(kind, `${kind}-save`, size), file = `/scratch/${it.name}.xl`
  for (const [saver, restorer] of pairs) {
    await tap.check(`${kind}: saved by ${saver}, restored by ${restorer}, runs on`, async () => {
      const before = await running(it)
      const saved = await save(it, { by: saver, file })
      const restored = await restore(it, { by: restorer, file })
      await runsOn(it, before)
      tap.row('save and restore', { guest: kind, save: saver, restore: restorer, 'save s': saved.seconds.toFixed(1), 'restore s': restored.seconds.toFixed(1), file: saved.size })
    })
    if (saver !== 'C') await tap.check(`${kind}: Xen's verifier accepts the file of ${saver}`, () => verify(file))
    rmSync(file, { force: true })
  }
  await destroyAll()
}

/** The guest as the check before left it, if it runs; else a new one. */
async function running(it) {
  try {
    await onlyOne(it)
    return await runsOn(it, 0, { seconds: 30 })
  } catch {
    await destroyAll()
    return create(it)
  }
}

/** Saved with `-c`: the guest goes on here, and the file holds it as well. */
export async function savedAndKept(tap, kind, saver, restorer) {
  const it = guest(kind, `${kind}-keep`), file = `/scratch/${it.name}.xl`
  await tap.check(`${kind}: saved by ${saver} with -c runs on, and so does the copy that ${restorer} restores`, async () => {
    const before = await create(it)
    await save(it, { by: saver, file, keep: ['-c'] })
    await runsOn(it, before)
    await destroyAll()
    await restore(it, { by: restorer, file })
    await runsOn(it, before)
  })
  rmSync(file, { force: true })
  await destroyAll()
}

/** One guest, moved to a receiver on this host while it runs, as many times as there are pairs. */
export async function moved(tap, kind, pairs) {
  const it = guest(kind, `${kind}-move`)
  for (const [sender, receiver] of pairs) {
    await tap.check(`${kind}: moved from ${sender} to ${receiver}, runs on`, async () => {
      const before = await running(it)
      const { seconds } = await migrate(it, { sender, receiver, log: `${logs}/move-${kind}-${sender}-${receiver}` })
      await runsOn(it, before)
      tap.row('move', { guest: kind, sender, receiver, s: seconds.toFixed(1) })
    })
    rmSync(`${logs}/move-${kind}-${sender}-${receiver}.there`, { force: true }) // as large as the guest
  }
  await destroyAll()
}

/** Replicated until 20 checkpoints have come; the sending side is killed; the backup counts on. */
export async function replicated(tap, kind, sender, receiver) {
  const it = guest(kind, `${kind}-remus`), log = `${logs}/remus-${kind}-${sender}-${receiver}`
  await tap.check(`${kind}: replicated from ${sender} to ${receiver}, the sending host dies, the backup runs`, async () => {
    const before = await create(it)
    const began = performance.now()
    const remus = replicate(it, { sender, receiver, log, keep: '' })
    await until('20 checkpoints have come', () => checkpoints(log) >= 20, { seconds: 600 }).catch((error) => {
      process.kill(remus.pid, 'SIGKILL')
      throw new Error(`${error.message}; the receiver's last words:\n${received(log).split('\n').slice(-6).join('\n')}`)
    })
    const seconds = (performance.now() - began) / 1000, taken = checkpoints(log)
    await sendingHostDies(it, remus)
    await backupRuns(it, before)
    tap.row('remus', { guest: kind, sender, receiver, checkpoints: taken, s: seconds.toFixed(1) })
  })
  await destroyAll()
}

/** Checkpoints into nowhere: the guest counts on meanwhile, and after the replication is ended. */
export async function replicatedNowhere(tap, kind, sender) {
  const it = guest(kind, `${kind}-hole`)
  await tap.check(`${kind}: checkpoints of ${sender} into nowhere, the guest runs on`, async () => {
    const before = await create(it)
    const remus = replicateNowhere(it, { sender })
    const ended = await Promise.race([remus.ended, sleep(15_000)])
    must(ended === undefined, `xl remus ended: ${ended?.err.split('\n').slice(-6).join('\n')}`)
    await runsOn(it, before)
    process.kill(-remus.pid, 'SIGKILL')
    await remus.ended
  })
  await destroyAll()
}

/** The hypervisor cannot follow what a PV guest writes: a move is refused, the guest stays and runs. */
export async function moveRefused(tap, sender, says) {
  const it = guest('pv', 'pv-stays'), log = `${logs}/pv-refused-${sender}`
  await tap.check(`pv: a move by ${sender} is refused without shadow paging, the guest stays`, async () => {
    const before = await create(it)
    const { status, out, err } = await attempt(sendCommand(it, sender, 'C'), { env: environment(sender, peerEnvironment('C', log)) })
    must(status !== 0, 'it was moved')
    must(says.test(out + err), `the error does not say why: ${(out + err).split('\n').filter((line) => /error|xr:/i.test(line)).join('\n')}`)
    await onlyOne(it)
    await runsOn(it, before)
  })
  await destroyAll()
}

/** One suspended guest, saved by both: the streams are the same, byte for byte, but for fields that are time. */
export async function sameStream(tap, kind) {
  const it = guest(kind, `${kind}-twin`), file = `/scratch/${it.name}`
  await tap.check(`${kind}: the streams of C and ours are the same, but for time`, async () => {
    await create(it)
    await saveTwins(it, { ends: ['C', 'ours'], file })
    const found = differences(`${file}.0`, `${file}.1`), wrong = unexplained(found)
    tap.row('same stream', { guest: kind, differences: found.map((line) => line.replace(/^record \d+ /, '')).join('; ') || 'none' })
    must(wrong.length === 0, wrong.slice(0, 12).join('\n'))
  })
  for (const end of ['.0', '.1', '.1.json', '.xl']) rmSync(`${file}${end}`, { force: true })
  await destroyAll()
}
