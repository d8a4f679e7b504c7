// Debian packages, fetched by apt from the sources this machine is configured with, and unpacked into a folder. Nothing is installed, no root.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from './cache.mjs'
import { LabError } from './lab-error.mjs'
import { runTool } from './run-tool.mjs'

const bookworm = 'the lab wants Debian 12 (bookworm) packages: configure apt for it, or name a sources file in XR_LAB_SOURCES'

/**
 * apt with lists, status and archives of its own, so that it needs no root and sees no package as installed.
 *
 * @param {string} archives folder of the cache for package files
 * @param {{ lists?: string, sources?: string }} [other] lists and sources in place of the configured ones
 */
function apt(archives, { lists = 'lists', sources: file = process.env.XR_LAB_SOURCES } = {}) {
  const dir = join(cacheDir(), 'apt')
  for (const part of [`${lists}/partial`, 'state', 'none/partial', `${archives}/partial`]) mkdirSync(join(dir, part), { recursive: true })
  const status = join(dir, 'state/status')
  if (!existsSync(status)) writeFileSync(status, '')
  const sources = file === undefined ? [] : [`Dir::Etc::sourcelist=${file}`, 'Dir::Etc::sourceparts=-']
  const options = [
    `Dir::State::lists=${dir}/${lists}`, `Dir::State::status=${status}`, `Dir::Cache=${dir}`, `Dir::Cache::archives=${dir}/${archives}`,
    'APT::Install-Recommends=false', 'APT::Sandbox::User=', 'Debug::NoLocking=1', 'Acquire::Retries=3', ...sources,
  ]
  return (args, how) => runTool('apt-get', [...options.flatMap((option) => ['-o', option]), ...args], { seconds: 1200, hint: bookworm, ...how })
}

/**
 * Fetches packages and all they depend on.
 *
 * @param {readonly string[]} names
 * @returns {Promise<string[]>} the package files, each verified by apt
 */
export async function fetchPackages(names) {
  await apt('none')(['update'])
  const uris = await apt('none')(['install', '-y', '--print-uris', ...names])
  await apt('debs')(['install', '-y', '--download-only', ...names])
  const files = [...uris.matchAll(/^'[^']*' (\S+\.deb) /gm)].map(([, file]) => join(cacheDir(), 'apt/debs', file))
  const absent = files.filter((file) => !existsSync(file))
  if (files.length === 0 || absent.length > 0) throw new LabError(`apt did not fetch ${absent[0] ?? names[0]}`, bookworm)
  return files
}

/**
 * Fetches and unpacks the source a package was built from.
 *
 * @param {string} packageFile as fetched @param {string} dir gets a folder named after the source and its version
 * @returns {Promise<string>} that folder
 */
export async function fetchSource(packageFile, dir) {
  const fields = await runTool('dpkg-deb', ['-f', packageFile, 'Package', 'Version', 'Source'])
  const of = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(fields)?.[1]
  const [source, version = of('Version')] = (of('Source') ?? of('Package')).replace(/[()]/g, '').split(' ')
  const targets = await apt('none')(['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'])
  const lines = [...new Set(targets.trim().split('\n'))]
  const sources = join(dir, 'sources.list')
  writeFileSync(sources, lines.map((line) => `deb-src ${line}\n`).join(''))
  const run = apt('none', { lists: 'source-lists', sources })
  await run(['update'])
  const releases = new Set(lines.map((line) => line.split(' ')[1]))
  await firstThatWorks([`${source}=${version}`, ...[...releases].map((release) => `${source}/${release}`)], (wanted) =>
    run(['source', wanted], { cwd: dir, hint: 'apt-get source unpacks with dpkg-source: install dpkg-dev' }))
  return join(dir, readdirSync(dir, { withFileTypes: true }).find((entry) => entry.isDirectory() && entry.name.startsWith(`${source}-`)).name)
}

/** A mirror may lack the source of the newest version: that of the release it updates does as well. */
async function firstThatWorks([wanted, ...others], attempt) {
  try {
    await attempt(wanted)
  } catch (error) {
    if (others.length === 0) throw error
    await firstThatWorks(others, attempt)
  }
}

/** Makes the folder a root file system with /bin, /sbin and /lib inside /usr, as Debian installs it. */
export function mergedRoot(root) {
  for (const dir of ['bin', 'sbin', 'lib', 'lib64', 'lib32', 'libx32']) {
    mkdirSync(join(root, 'usr', dir), { recursive: true })
    symlinkSync(join('usr', dir), join(root, dir))
  }
}

/** Unpacks package files into a folder; links that are folders stay links. */
export async function unpack(files, root) {
  const script = 'set -eo pipefail; root=$1; shift; for deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --keep-directory-symlink -C "$root"; done'
  await runTool('bash', ['-c', script, 'unpack', root, ...files], { hint: 'dpkg-deb and tar come with Debian' })
}

/**
 * Programs of an unpacked root, run on this machine with that root's own loader and libraries.
 *
 * @param {string} root
 * @returns {(name: string, args: readonly string[], how?: object) => Promise<string>} runs one; `.command(name)` is how it is started
 */
export function programsOf(root) {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib'].map((dir) => join(root, dir)).join(':')
  const found = (name) => ['usr/bin', 'usr/sbin'].map((dir) => join(root, dir, name)).find((file) => existsSync(file))
  const command = (name, as = name) => {
    const file = found(name)
    if (file === undefined) throw new LabError(`${name} is not in ${readdirSync(root).length === 0 ? 'an empty folder' : root}`, 'remove the cache and run again')
    return [join(root, 'usr/lib64/ld-linux-x86-64.so.2'), '--library-path', libraries, '--argv0', as, file]
  }
  const run = (name, args, { as, ...how } = {}) => {
    const [loader, ...rest] = command(name, as)
    return runTool(loader, [...rest, ...args], how)
  }
  return Object.assign(run, { command })
}
