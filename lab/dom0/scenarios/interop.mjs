// Every kind of guest, every pair of ends: saved and restored, kept, moved, replicated; and the same bytes of a guest that stands still.
import { moved, moveRefused, replicated, replicatedNowhere, sameStream, savedAndKept, savedAndRestored } from '../cases.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const pairs = [['xr', 'xr'], ['xr', 'C'], ['C', 'xr'], ['C', 'C']]
const only = process.argv.slice(2)
const kinds = ['pv', 'pvh', 'hvm'].filter((kind) => only.length === 0 || only.includes(kind))

for (const kind of kinds) {
  await sameStream(tap, kind)
  for (const [saver, restorer] of pairs) await savedAndRestored(tap, kind, saver, restorer)
  await savedAndKept(tap, kind, 'xr', 'C')
  await savedAndKept(tap, kind, 'C', 'xr')
  if (kind === 'pv') continue // what a PV guest writes cannot be followed on this hypervisor: see shadow
  for (const [sender, receiver] of pairs) await moved(tap, kind, sender, receiver)
  for (const [sender, receiver] of pairs) await replicated(tap, kind, sender, receiver)
  await replicatedNowhere(tap, kind, 'xr')
}
if (kinds.includes('pv')) {
  await moveRefused(tap, 'C', /Failed to enable logdirty/)
  await moveRefused(tap, 'xr', /shadow paging/i)
}
tap.end()
