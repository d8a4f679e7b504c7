// Fetches Xen's own verify-stream-v2 and the Python modules it needs, from Debian's xen-utils, with apt and the sources that this
// machine is set up with, into node_modules/.cache. Tests that ask it for its verdict are skipped where it is not there.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

const PACKAGE = 'xen-utils-4.17'
const home = join(import.meta.dirname, '../node_modules/.cache', PACKAGE)
const sh = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })

function download(folder) {
  try {
    sh('apt-get', ['download', PACKAGE], folder)
  } catch {
    sh('apt-get', ['update'], folder) // the lists of a fresh machine are empty, or tell of a version that is gone
    sh('apt-get', ['download', PACKAGE], folder)
  }
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'))
  if (file === undefined) throw new Error('apt-get left no package')
  return join(folder, file)
}

function fetchVerifier() {
  mkdirSync(dirname(home), { recursive: true })
  const folder = mkdtempSync(`${home}-`)
  try {
    sh('dpkg-deb', ['-x', download(folder), join(folder, 'all')], folder)
    const from = join(folder, 'all/usr/lib', PACKAGE.replace('-utils', ''))
    mkdirSync(join(folder, 'kept'))
    renameSync(join(from, 'bin/verify-stream-v2'), join(folder, 'kept/verify-stream-v2'))
    renameSync(join(from, 'lib/python'), join(folder, 'kept/python'))
    rmSync(home, { recursive: true, force: true })
    renameSync(join(folder, 'kept'), home)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  if (!existsSync(join(home, 'verify-stream-v2'))) fetchVerifier()
  console.log(`verify-stream-v2 of ${PACKAGE} is there`)
} catch (error) {
  console.error(`verify-stream-v2 of ${PACKAGE} could not be fetched: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
