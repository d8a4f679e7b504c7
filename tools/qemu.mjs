// Finds a QEMU for the tests that need a real one: the one that is installed, else Debian's, fetched with apt and unpacked into the cache that
// the lab has too ($XR_LAB_CACHE, else ~/.cache/xr-lab). Nothing is installed, no root is needed. `node tools/qemu.mjs` prints the path of the program.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'

const PROGRAM = 'qemu-system-x86_64'
const PACKAGE = 'qemu-system-x86'
const cacheDir = () => process.env.XR_LAB_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xr-lab')
const run = (program, args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 })

/** @returns {string} the program, as it is started */
export function findQemu() {
  return process.env.XR_QEMU ?? installed() ?? starterOf(unpacked() ?? fetched())
}

function installed() {
  const files = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, PROGRAM))
  return files.find((file) => isExecutable(file))
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A root in the cache that has the program: the lab's, or one that was made here. */
function unpacked() {
  const dir = cacheDir()
  if (!existsSync(dir)) return undefined
  const roots = readdirSync(dir).filter((name) => /^(?:host|qemu)-[0-9a-z]+$/.test(name)).map((name) => join(dir, name))
  return roots.find((root) => existsSync(join(root, 'usr/bin', PROGRAM)) && existsSync(join(root, 'usr/share/seabios')))
}

/** Packages come into the cache's own folder of apt, as the lab's do, so that neither fetches what the other has. */
function fetched() {
  const dir = cacheDir()
  const lists = join(dir, 'apt')
  for (const part of ['lists/partial', 'state', 'none/partial', 'debs/partial']) mkdirSync(join(lists, part), { recursive: true })
  const status = join(lists, 'state/status')
  if (!existsSync(status)) writeFileSync(status, '')
  const settings = [
    `Dir::State::lists=${lists}/lists`, `Dir::State::status=${status}`, `Dir::Cache=${lists}`, 'APT::Install-Recommends=false', 'APT::Sandbox::User=', 'Debug::NoLocking=1', 'Acquire::Retries=3',
  ]
  const apt = (archives, ...words) => run('apt-get', [...settings, `Dir::Cache::archives=${lists}/${archives}`].flatMap((one) => ['-o', one]).concat(words))
  apt('none', 'update')
  const wanted = [...apt('none', 'install', '-y', '--print-uris', PACKAGE).matchAll(/^'[^']*' (\S+\.deb) /gm)].map(([, file]) => join(lists, 'debs', file))
  apt('debs', 'install', '-y', '--download-only', PACKAGE)
  return unpackInto(join(dir, 'qemu-root'), wanted)
}

function unpackInto(root, files) {
  const draft = mkdtempSync(`${root}.making-`)
  try {
    for (const part of ['bin', 'sbin', 'lib', 'lib64', 'lib32', 'libx32']) {
      mkdirSync(join(draft, 'usr', part), { recursive: true })
      symlinkSync(join('usr', part), join(draft, part))
    }
    for (const file of files) {
      execFileSync('bash', ['-c', 'set -eo pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x --no-same-owner --keep-directory-symlink -C "$2"', 'unpack', file, draft])
    }
    rmSync(join(draft, 'usr/share/doc'), { recursive: true, force: true })
    if (!existsSync(root)) renameSync(draft, root)
    return root
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** A program that starts the unpacked one with its own loader, libraries and firmware. */
function starterOf(root) {
  const usr = join(root, 'usr')
  const libraries = join(usr, 'lib/x86_64-linux-gnu')
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`
  const words = [join(usr, 'lib64/ld-linux-x86-64.so.2'), '--library-path', `${libraries}:${join(usr, 'lib')}`, join(usr, 'bin', PROGRAM), '-L', join(usr, 'share/qemu'), '-L', join(usr, 'share/seabios')]
  const starter = join(cacheDir(), 'start-qemu')
  const draft = `${starter}.${process.pid}`
  writeFileSync(draft, `#!/bin/sh\nexport QEMU_MODULE_DIR=${quoted(join(libraries, 'qemu'))}\nexec ${words.map(quoted).join(' ')} "$@"\n`, { mode: 0o755 })
  renameSync(draft, starter)
  return starter
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) console.log(findQemu())
