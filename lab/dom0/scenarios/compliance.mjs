// The suite that every backend has to pass, on guests of this Xen; what xr and xl do with each other's guests. Words: kinds of guest, else all.
import { destroyAll } from '../guests.mjs'
import { attempt } from '../run.mjs'
import { Tap, must } from '../tap.mjs'

const tap = new Tap()
const wanted = process.argv.slice(2)
const programs = {
  'backend-xen passes the suite of backends': ['node', '/opt/xr/packages/backend-xen/lab/compliance.mjs'],
  'xr and xl take each other’s guests': ['bash', '/opt/xr/packages/backend-xen/lab/xr-on-xen.sh'],
}

for (const kind of wanted.length === 0 ? ['hvm', 'pvh', 'pv'] : wanted) {
  for (const [title, argv] of Object.entries(programs)) {
    await tap.check(`${kind}: ${title}`, async () => {
      const { status, out, err } = await attempt([...argv, kind], { seconds: 1200 })
      const cases = out.split('\n').filter((line) => /passed|^ok /.test(line)).length
      tap.row('compliance', { guest: kind, what: title, hold: cases, status })
      must(status === 0, (out + err).split('\n').filter((line) => /FAILED|Error/.test(line)).slice(0, 20).join('\n'))
      must(cases > 0, 'nothing was checked')
    })
    await destroyAll()
  }
}
tap.end()
