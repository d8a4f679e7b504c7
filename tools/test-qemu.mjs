// Runs the tests that need a real QEMU: `npm run test:qemu`. XR_QEMU_LONG=1 adds those that take many minutes; words are handed on to vitest.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { findQemu } from './qemu.mjs'

/** Those with a vitest.real.config.ts. */
const PACKAGES = ['qemu', 'colo-proxy']
const folderOf = (name) => join(import.meta.dirname, '../packages', name)
/** Whether a package has a test that words name, as vitest understands them; options among them may mean any. */
const hasFileNamed = (name, words) => words.length === 0 || words.some((word) => word.startsWith('-')) || readdirSync(join(folderOf(name), 'test-real')).some((file) => words.some((word) => join(folderOf(name), 'test-real', file).includes(word)))

try {
  const XR_QEMU = findQemu()
  const version = spawnSync(XR_QEMU, ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) throw new Error(`${XR_QEMU} does not run: ${version.error?.message ?? version.stderr}`)
  console.log(`${version.stdout.split('\n')[0]}, ${XR_QEMU}`)
  const words = process.argv.slice(2)
  const runIn = (name) => spawnSync('npx', ['vitest', 'run', '--config', 'vitest.real.config.ts', ...words], { cwd: folderOf(name), stdio: 'inherit', env: { ...process.env, XR_QEMU } }).status ?? 1
  const meant = PACKAGES.filter((name) => hasFileNamed(name, words))
  process.exitCode = Math.max(...(meant.length > 0 ? meant : PACKAGES).map(runIn))
} catch (error) {
  console.error(`no real QEMU to test with: ${error instanceof Error ? error.message : error}`)
  console.error('hint: install qemu-system-x86, or set XR_QEMU, or configure apt for Debian')
  process.exitCode = 1
}
