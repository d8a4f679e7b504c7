// Adds up what the test runs of all packages wrote (packages/*/.test-results/vitest.json, and vitest-real.json where a real QEMU was run,
// `npm run test:qemu`) and prints one closing line.
// Fails when a package left no result, when a test file did not load, when a test failed, or when no test ran.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const packages = join(import.meta.dirname, '..', 'packages')
const total = { passed: 0, failed: 0, skipped: 0 }
const faults = []

const files = (name) => [['vitest.config.ts', 'vitest.json'], ['vitest.real.config.ts', 'vitest-real.json']].filter(([config]) => existsSync(join(packages, name, config))).map(([, file]) => file)

for (const [name, result] of readdirSync(packages).flatMap((name) => files(name).map((file) => [name, file]))) {
  const file = join(packages, name, '.test-results', result)
  if (!existsSync(file)) {
    if (result === 'vitest-real.json') continue
    faults.push(`${name}: no test result in ${result}`)
    continue
  }
  const run = JSON.parse(readFileSync(file, 'utf8'))
  const unloaded = run.testResults.filter((f) => f.status === 'failed' && f.assertionResults.every((t) => t.status !== 'failed')).length
  total.passed += run.numPassedTests
  total.failed += run.numFailedTests + unloaded
  total.skipped += run.numPendingTests + run.numTodoTests
  if (unloaded > 0) faults.push(`${name}: ${unloaded} test files failed outside a test`)
  if (!run.success) faults.push(`${name}: the test run failed`)
}
if (total.passed + total.failed === 0) faults.push('no test ran')

for (const fault of faults) console.log(`ci: ${fault}`)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
if (faults.length > 0 || total.failed > 0) process.exitCode = 1
