// PV guests moved and replicated while they run, on a hypervisor with shadow paging.
import { moved, replicated, replicatedNowhere, sameStream, savedAndRestored } from '../cases.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const underXl = [['ours', 'ours'], ['ours', 'C'], ['C', 'ours'], ['C', 'C']]

await sameStream(tap, 'pv')
await savedAndRestored(tap, 'pv', [['ours', 'C'], ['C', 'ours']])
await moved(tap, 'pv', [...underXl, ['xr', 'xr'], ['xr', 'C'], ['C', 'xr']])
for (const [sender, receiver] of underXl) await replicated(tap, 'pv', sender, receiver)
await replicatedNowhere(tap, 'pv', 'ours')
tap.end()
