// Runs the tests that need a real QEMU: `npm run test:qemu`. XR_QEMU_LONG=1 adds those that take many minutes; words are handed on to vitest.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { findQemu } from './qemu.mjs'

try {
  const XR_QEMU = findQemu()
  const version = spawnSync(XR_QEMU, ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) throw new Error(`${XR_QEMU} does not run: ${version.error?.message ?? version.stderr}`)
  console.log(`${version.stdout.split('\n')[0]}, ${XR_QEMU}`)
  const words = ['vitest', 'run', '--config', 'vitest.real.config.ts', ...process.argv.slice(2)]
  const { status } = spawnSync('npx', words, { cwd: join(import.meta.dirname, '../packages/qemu'), stdio: 'inherit', env: { ...process.env, XR_QEMU } })
  process.exitCode = status ?? 1
} catch (error) {
  console.error(`no real QEMU to test with: ${error instanceof Error ? error.message : error}`)
  console.error('hint: install qemu-system-x86, or set XR_QEMU, or configure apt for Debian')
  process.exitCode = 1
}
