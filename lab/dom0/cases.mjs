// The checks that scenarios are made of: a kind of guest, and which save helper each end has.
import { rmSync } from 'node:fs'
import { differences, unexplained } from './compare-streams.mjs'
import { backupRuns, checkpoints, migrate, programOf, replicate, replicateNowhere, restore, save, saveTwins, sendingHostDies, verify } from './flows.mjs'
import { create, destroyAll, guest, onlyOne, runsOn } from './guests.mjs'
import { attempt, until } from './run.mjs'
import { must } from './tap.mjs'

const logs = '/scratch/out'

/** Saved with one helper, checked by Xen's verifier, restored with the other, and it counts on. */
export async function savedAndRestored(tap, kind, saver, restorer, size) {
  const it = guest(kind, `${kind}-save`, size), file = `/scratch/${it.name}.xl`
  await tap.check(`${kind}: saved by ${saver}, restored by ${restorer}, runs on`, async () => {
    const before = await create(it)
    const saved = await save(it, { helper: saver, file })
    const restored = await restore(it, { helper: restorer, file })
    await runsOn(it, before)
    tap.row('save and restore', { guest: kind, save: saver, restore: restorer, 'save s': saved.seconds.toFixed(1), 'restore s': restored.seconds.toFixed(1), file: saved.size })
  })
  await tap.check(`${kind}: Xen's verifier accepts the file of ${saver}`, () => verify(file))
  rmSync(file, { force: true })
  await destroyAll()
}

/** Saved with `-c`: the guest goes on here, and the file holds it as well. */
export async function savedAndKept(tap, kind, saver, restorer) {
  const it = guest(kind, `${kind}-keep`), file = `/scratch/${it.name}.xl`
  await tap.check(`${kind}: saved by ${saver} with -c runs on, and so does the copy that ${restorer} restores`, async () => {
    const before = await create(it)
    await save(it, { helper: saver, file, keep: ['-c'] })
    const later = await runsOn(it, before)
    await destroyAll()
    await restore(it, { helper: restorer, file })
    await runsOn(it, before)
    must(later > before, 'the guest that was kept did not count on')
  })
  rmSync(file, { force: true })
  await destroyAll()
}

/** Moved to a receiver on this host while it runs. */
export async function moved(tap, kind, sender, receiver) {
  const it = guest(kind, `${kind}-move`)
  await tap.check(`${kind}: moved from ${sender} to ${receiver}, runs on`, async () => {
    const before = await create(it)
    const { seconds } = await migrate(it, { sender, receiver, log: `${logs}/move-${kind}-${sender}-${receiver}` })
    await runsOn(it, before)
    tap.row('move', { guest: kind, sender, receiver, s: seconds.toFixed(1) })
  })
  await destroyAll()
}

/** Replicated until 20 checkpoints have come; the sending side is killed; the backup counts on. */
export async function replicated(tap, kind, sender, receiver) {
  const it = guest(kind, `${kind}-remus`), log = `${logs}/remus-${kind}-${sender}-${receiver}`
  await tap.check(`${kind}: replicated from ${sender} to ${receiver}, the sending host dies, the backup runs`, async () => {
    const before = await create(it)
    const remus = replicate(it, { sender, receiver, log })
    const began = performance.now()
    try {
      await until('20 checkpoints have come', () => checkpoints(log) >= 20, { seconds: 120 })
    } finally {
      if (checkpoints(log) < 20) process.kill(remus.pid, 'SIGKILL')
    }
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
    const ended = await Promise.race([remus.ended, new Promise((resolve) => setTimeout(resolve, 10_000))])
    must(ended === undefined, `xl remus ended: ${ended?.err.split('\n').slice(-6).join('\n')}`)
    const during = await runsOn(it, before)
    process.kill(remus.pid, 'SIGTERM')
    await remus.ended
    must(during > before, 'the guest stood still')
  })
  await destroyAll()
}

/** The hypervisor cannot follow what a PV guest writes: a move is refused, the guest stays and runs. */
export async function moveRefused(tap, sender, says) {
  const it = guest('pv', 'pv-stays')
  await tap.check(`pv: a move by ${sender} is refused without shadow paging, the guest stays`, async () => {
    const before = await create(it)
    const { status, err } = await attempt(['xl', 'migrate', '-s', '', it.name, 'peer migrate-receive'], { env: { PEER_LOG: `${logs}/pv-refused`, LIBXL_SAVE_HELPER: programOf(sender) } })
    must(status !== 0, 'it was moved')
    must(says.test(err), `the error does not say why: ${err.split('\n').filter((line) => /error/i.test(line)).join('\n')}`)
    await onlyOne(it)
    await runsOn(it, before)
  })
  await destroyAll()
}

/** One suspended guest, saved by both: the streams are the same, byte for byte, but for fields that are time. */
export async function sameStream(tap, kind) {
  const it = guest(kind, `${kind}-twin`), file = `/scratch/${it.name}`
  await tap.check(`${kind}: the streams of C and xr are the same, but for time`, async () => {
    await create(it)
    await saveTwins(it, { programs: [programOf('C'), programOf('xr')], file })
    const found = differences(`${file}.0`, `${file}.1`), wrong = unexplained(found)
    tap.row('same stream', { guest: kind, differences: found.map((line) => line.replace(/^record \d+ /, '')).join('; ') || 'none' })
    must(wrong.length === 0, wrong.slice(0, 12).join('\n'))
  })
  for (const end of ['0', '1', '1.json', 'xl']) rmSync(`${file}.${end}`, { force: true })
  await destroyAll()
}
