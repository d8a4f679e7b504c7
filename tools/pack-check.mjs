// Packs every public package, lints the tarballs (publint, attw), installs them in a fresh folder outside
// the workspace with no workspace links, runs `xr --version` there and imports each package.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const sh = (cmd, args, cwd) => execFileSync(cmd, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
const bin = (name) => join(root, 'node_modules/.bin', name)
const out = mkdtempSync(join(tmpdir(), 'xr-pack-'))

function pack(dir) {
  const cwd = join(root, 'packages', dir)
  const { name, version } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  sh(bin('publint'), ['--strict'], cwd)
  const packed = JSON.parse(sh('npm', ['pack', '--json', '--pack-destination', out, '--loglevel=error'], cwd))
  // npm <= 11 answers a list, npm 12 an object keyed by package name
  const { filename, entryCount } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
  sh(bin('attw'), ['--profile', 'esm-only', '--quiet', join(out, filename)], cwd)
  console.log(`packed ${filename} (${entryCount} files), publint and attw clean`)
  return { name, version, tarball: join(out, filename) }
}

try {
  const packages = readdirSync(join(root, 'packages')).map(pack)
  const app = join(out, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  sh('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages.map((p) => p.tarball)], app)

  const version = sh(join(app, 'node_modules/.bin/xr'), ['--version'], app).trim()
  const expected = packages.find((p) => p.name === '@xen-replication/cli').version
  if (version !== expected) throw new Error(`xr --version printed ${version}, its package.json says ${expected}`)
  console.log(`xr --version: ${version}`)

  writeFileSync(join(app, 'all.mjs'), packages.map((p) => `await import(${JSON.stringify(p.name)})`).join('\n'))
  sh(process.execPath, ['all.mjs'], app)
  console.log(`imported ${packages.map((p) => p.name).join(', ')}`)
} finally {
  rmSync(out, { recursive: true, force: true })
}
