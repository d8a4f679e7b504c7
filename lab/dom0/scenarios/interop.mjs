// Every kind of guest, every pair of ends: saved and restored, kept, moved, replicated; and the same bytes of a guest that stands still.
// Words: kinds of guest to take, else all.
import { moved, moveRefused, replicated, replicatedNowhere, sameStream, savedAndKept, savedAndRestored } from '../cases.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const pairs = ['C', 'ours', 'xr'].flatMap((one) => ['C', 'ours', 'xr'].map((other) => [one, other]))
const underXl = [['ours', 'ours'], ['ours', 'C'], ['C', 'ours'], ['C', 'C']]
const wanted = process.argv.slice(2)
const kinds = ['pv', 'pvh', 'hvm'].filter((kind) => wanted.length === 0 || wanted.includes(kind))

for (const kind of kinds) {
  await sameStream(tap, kind)
  await savedAndRestored(tap, kind, pairs)
  await savedAndKept(tap, kind, 'ours', 'C')
  await savedAndKept(tap, kind, 'xr', 'xr')
  if (kind === 'pv') continue // what a PV guest writes cannot be followed on this hypervisor: see shadow
  await moved(tap, kind, pairs)
  for (const [sender, receiver] of underXl) await replicated(tap, kind, sender, receiver)
  await replicatedNowhere(tap, kind, 'ours')
}
if (kinds.includes('pv')) {
  await moveRefused(tap, 'C', /Failed to enable logdirty/)
  await moveRefused(tap, 'ours', /shadow paging/i)
  await moveRefused(tap, 'xr', /shadow paging/i)
}
tap.end()
