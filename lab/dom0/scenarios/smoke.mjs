// What must hold at every change: each kind of guest saved, restored, moved and replicated under an unmodified xl.
import { moved, moveRefused, replicated, sameStream, savedAndKept, savedAndRestored } from '../cases.mjs'
import { available } from '../flows.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const refusal = { C: /Failed to enable logdirty/, xr: /shadow paging/i }

if (!available('xr')) tap.skip('all with xr-save-helper', 'it is not built')
const [near, far] = available('xr') ? ['xr', 'C'] : ['C', 'C']
for (const kind of ['pv', 'pvh', 'hvm']) {
  await savedAndRestored(tap, kind, near, far)
  if (near !== far) await savedAndRestored(tap, kind, far, near)
}
await savedAndKept(tap, 'hvm', near, near)
await moved(tap, 'hvm', near, far)
await moved(tap, 'hvm', far, near)
await replicated(tap, 'hvm', near, far)
await moveRefused(tap, near, refusal[near])
if (near === 'xr') await sameStream(tap, 'hvm')
tap.end()
