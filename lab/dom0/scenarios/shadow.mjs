// PV guests moved and replicated while they run, on a hypervisor with shadow paging.
import { moved, replicated, replicatedNowhere, savedAndRestored, sameStream } from '../cases.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const pairs = [['xr', 'xr'], ['xr', 'C'], ['C', 'xr'], ['C', 'C']]

await sameStream(tap, 'pv')
await savedAndRestored(tap, 'pv', 'xr', 'C')
for (const [sender, receiver] of pairs) await moved(tap, 'pv', sender, receiver)
for (const [sender, receiver] of pairs) await replicated(tap, 'pv', sender, receiver)
await replicatedNowhere(tap, 'pv', 'xr')
tap.end()
