// Runs the compliance suite of backends on a real Xen, in dom0: node compliance.mjs [pv|pvh|hvm …] [--only TEXT]
import process from 'node:process'
import { benches } from './bench.mjs'

const { backendCases } = await import('/opt/xr/packages/compliance/dist/index.js')
const words = process.argv.slice(2)
const only = words.includes('--only') ? words[words.indexOf('--only') + 1] : undefined
const kinds = words.filter((word) => ['pv', 'pvh', 'hvm'].includes(word))
const LIMIT_MS = 180_000

let failed = 0
for (const kind of kinds.length === 0 ? ['hvm', 'pvh', 'pv'] : kinds) {
  const bench = await benches(kind)
  const logDirty = kind === 'pv' && !(await bench.open()).backend.capabilities.has('log-dirty-pv') ? 'no' : 'yes'
  const before = await bench.held()
  for (const one of backendCases(kind, { logDirty })) {
    if (only !== undefined && !one.name.includes(only)) continue
    const began = performance.now()
    const result = await one.run(bench.open, LIMIT_MS).then(() => 'passed', (error) => `FAILED ${error.stack ?? error}`)
    if (result !== 'passed') failed++
    console.log(`${kind}: ${one.name}: ${result} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  }
  const after = await bench.held()
  if (after.join() !== before.join()) {
    failed++
    console.log(`${kind}: FAILED: held before ${before.join()}, after ${after.join()}`)
  }
  await bench.close()
}
console.log(failed === 0 ? 'all cases passed' : `${failed} cases failed`)
process.exit(failed === 0 ? 0 : 1)
