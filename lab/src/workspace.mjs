// This workspace as a disk: built packages and the dependencies they have from outside, at /opt/xr of dom0 as they lie here.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LabError } from './lab-error.mjs'

export const workspaceDir = join(import.meta.dirname, '../..')
const packageParts = ['package.json', 'dist', 'bundle', 'bin', 'native', 'vectors']

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
    cpSync(join(workspaceDir, path), join(to, path), { recursive: true, verbatimSymlinks: true })
  }
  for (const name of readdirSync(join(workspaceDir, 'packages'))) for (const part of packageParts) take(join('packages', name, part))
  if (!existsSync(join(to, 'packages/cli/dist'))) throw new LabError('the workspace is not built', 'run npm run build')
  for (const path of dependencies()) take(path)
  take('node_modules/@xen-replication')
  take('node_modules/.bin')
  take('package.json')
  take('lab')
  rmSync(join(to, 'lab/out'), { recursive: true, force: true })
}
