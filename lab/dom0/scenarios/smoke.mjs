// What must hold at every change: each kind of guest saved, restored, moved and replicated under an unmodified xl.
import { create, destroyAll, guest, runsOn } from '../guests.mjs'
import { available, backupRuns, checkpoints, helpers, migrate, replicate, restore, save, sendingHostDies, verify } from '../flows.mjs'
import { attempt, until } from '../run.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()

async function savedAndRestored(kind, saver, restorer) {
  const it = guest(kind, `${kind}-${saver}-${restorer}`.toLowerCase()), file = `/scratch/${it.name}.xl`
  await tap.check(`${kind}: saved by ${saver}, restored by ${restorer}, runs on`, async () => {
    const before = await create(it)
    const saved = await save(it, { helper: saver, file })
    const restored = await restore(it, { helper: restorer, file })
    await runsOn(it, before)
    tap.row('save and restore', { guest: kind, save: saver, restore: restorer, 'save s': saved.seconds.toFixed(1), 'restore s': restored.seconds.toFixed(1), file: saved.size })
  })
  await tap.check(`${kind}: Xen's verifier accepts the file of ${saver}`, () => verify(file))
  await destroyAll()
}

async function moved(kind, sender, receiver) {
  const it = guest(kind, `${kind}-move`)
  await tap.check(`${kind}: moved from ${sender} to ${receiver}, runs on`, async () => {
    const before = await create(it)
    const { seconds } = await migrate(it, { sender, receiver, log: `/scratch/out/move-${kind}-${sender}-${receiver}` })
    await runsOn(it, before)
    tap.row('move', { guest: kind, sender, receiver, 's': seconds.toFixed(1) })
  })
  await destroyAll()
}

async function replicated(kind, sender, receiver) {
  const it = guest(kind, `${kind}-remus`), log = `/scratch/out/remus-${kind}-${sender}-${receiver}`
  await tap.check(`${kind}: replicated from ${sender} to ${receiver}, the sending host dies, the backup runs`, async () => {
    const before = await create(it)
    const remus = replicate(it, { sender, receiver, log })
    const taken = await until('20 checkpoints have come', () => checkpoints(log) >= 20 && checkpoints(log), { seconds: 90 })
    await sendingHostDies(it, remus)
    await backupRuns(it, before)
    tap.row('remus', { guest: kind, sender, receiver, checkpoints: taken })
  })
  await destroyAll()
}

for (const kind of ['pv', 'pvh', 'hvm']) await savedAndRestored(kind, 'C', 'C')
await moved('hvm', 'C', 'C')
await replicated('hvm', 'C', 'C')
await tap.check('pv: a live move is refused early: this hypervisor has no shadow paging', async () => {
  const it = guest('pv', 'pv-live')
  const before = await create(it)
  const { status, err } = await attempt(['xl', '-v', 'migrate', '-s', '', it.name, 'peer migrate-receive'], { env: { PEER_LOG: '/scratch/out/pv-live' } })
  must(status !== 0, 'it was moved')
  tap.note(err.split('\n').filter((line) => /error|fail/i.test(line)).slice(0, 6).join('\n'))
  await runsOn(it, before)
})
await destroyAll()
tap.end()
