// What must hold at every change: each kind of guest saved, restored, moved and replicated, with Xen's own tools at the other end.
import { moved, moveRefused, replicated, sameStream, savedAndRestored } from '../cases.mjs'
import { complete } from '../ends.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()

await tap.check('xr-save-helper is here', () => must(complete(), 'npm run build has not made it'))
await savedAndRestored(tap, 'pv', [['ours', 'C'], ['C', 'ours']])
await savedAndRestored(tap, 'pvh', [['ours', 'C'], ['C', 'ours']])
await savedAndRestored(tap, 'hvm', [['xr', 'C'], ['C', 'xr']])
await sameStream(tap, 'hvm')
await moved(tap, 'hvm', [['ours', 'C'], ['C', 'ours']])
await replicated(tap, 'hvm', 'ours', 'C')
await moveRefused(tap, 'ours', /shadow paging/i)
tap.end()
