// PV guests moved and replicated while they run, on a hypervisor with shadow paging. Words: parts to do, else all.
import { moved, replicated, replicatedNowhere, sameStream, savedAndRestored } from '../cases.mjs'
import { Tap } from '../tap.mjs'

const tap = new Tap()
const underXl = [['ours', 'ours'], ['ours', 'C'], ['C', 'ours'], ['C', 'C']]
const parts = {
  save: async () => {
    await sameStream(tap, 'pv')
    await savedAndRestored(tap, 'pv', [['ours', 'C'], ['C', 'ours']])
  },
  move: () => moved(tap, 'pv', [...underXl, ['xr', 'xr'], ['xr', 'C'], ['C', 'xr']]),
  remus: async () => {
    for (const [sender, receiver] of underXl) await replicated(tap, 'pv', sender, receiver)
    await replicatedNowhere(tap, 'pv', 'ours')
  },
}

const wanted = process.argv.slice(2)
for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await part()
tap.end()
