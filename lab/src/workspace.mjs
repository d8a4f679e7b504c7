// This workspace as a disk: built packages and the dependencies they have from outside, at /opt/xr of dom0 as they lie here.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { LabError } from './lab-error.mjs'

export const workspaceDir = join(import.meta.dirname, '../..')
const packageParts = ['package.json', 'dist', 'bundle', 'bin', 'lab']

/** What npm installed for use, not for development: the paths in node_modules, workspace links left out. */
function dependencies() {
  const { packages } = JSON.parse(readFileSync(join(workspaceDir, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev, devOptional, link }]) => path.includes('node_modules/') && dev !== true && devOptional !== true && link !== true)
    .map(([path]) => path)
    .filter((path) => existsSync(join(workspaceDir, path)))
}

/**
 * Copies what runs, and no more, into a folder.
 *
 * @param {string} to becomes /opt/xr
 */
export function copyWorkspace(to) {
  const take = (path) => {
    if (!existsSync(join(workspaceDir, path))) return
    mkdirSync(join(to, dirname(path)), { recursive: true })
    cpSync(join(workspaceDir, path), join(to, path), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  }
  for (const name of readdirSync(join(workspaceDir, 'packages'))) for (const part of packageParts) take(join('packages', name, part))
  if (!existsSync(join(to, 'packages/cli/dist'))) throw new LabError('the workspace is not built', 'run npm run build')
  for (const path of dependencies()) take(path)
  linkPackages(to)
  take('package.json')
  take('lab')
  rmSync(join(to, 'lab/out'), { recursive: true, force: true })
}

/** What npm would link: each package under its name in node_modules, each command in bin. */
function linkPackages(to) {
  mkdirSync(join(to, 'bin'), { recursive: true })
  for (const dir of readdirSync(join(to, 'packages'))) {
    const manifest = join(to, 'packages', dir, 'package.json')
    if (!existsSync(manifest)) continue
    const { name, bin = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
    const link = join(to, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(relative(dirname(link), join(to, 'packages', dir)), link)
    roundUp(join(to, 'packages', dir, 'bundle/made-from.json'))
    for (const [command, file] of Object.entries(bin)) symlinkSync(join('../packages', dir, file), join(to, 'bin', command))
  }
}

/** The disk keeps whole seconds only; what tells whether a bundle is newer than what it was made of must not lose to that. */
function roundUp(file) {
  if (!existsSync(file)) return
  const seconds = Math.ceil(statSync(file).mtimeMs / 1000)
  utimesSync(file, seconds, seconds)
}
