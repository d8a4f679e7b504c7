import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const workspace = fileURLToPath(new URL('../../../../', import.meta.url))
const example = join(workspace, 'examples/third-party-plugin')
/** What the packages need from outside, and what an author has besides. */
const OUTSIDE = ['commander', 'inversify', 'reflect-metadata', 'smol-toml', 'typescript', '@types'] as const

export interface Ran {
  readonly exit: number | string | null
  readonly output: string
}

/** What programs of an author see of the environment; nothing is fetched, and nothing of `xr` lies outside the folder. */
export const envIn = (cwd: string): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: process.env['HOME'], XR_RUN_DIR: join(cwd, 'run'), npm_config_offline: 'true' })

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  const env = envIn(cwd)
  return new Promise((resolve) => {
    const child = execFile(command, args, { cwd, env, maxBuffer: 1 << 26 }, (_, stdout, stderr) => resolve({ exit: child.exitCode ?? child.signalCode, output: stdout + stderr }))
  })
}

async function wellRun(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { exit, output } = await run(command, args, cwd)
  if (exit !== 0) throw new Error(`${command} ${args.join(' ')} ends with ${exit ?? 'nothing'}: ${output}`)
  return output
}

/** A folder outside the workspace with the packed packages installed, an author's plugin, and a site that has installed it. */
export interface Author {
  /** Sources of the plugin, with their package.json. */
  readonly plugin: string
  /** Where `node_modules` holds the packed plugin. */
  readonly site: string
  readonly xr: string
  remove(): void
}

export async function author(): Promise<Author> {
  const root = mkdtempSync(join(tmpdir(), 'xr-author-'))
  const remove = (): void => rmSync(root, { recursive: true })
  try {
    return { ...(await setUp(root)), remove }
  } catch (error) {
    remove()
    throw error
  }
}

async function setUp(root: string): Promise<Omit<Author, 'remove'>> {
  const modules = join(root, 'node_modules')
  mkdirSync(join(root, 'packed'))
  await wellRun('npm', ['pack', '--workspaces', '--ignore-scripts', '--pack-destination', join(root, 'packed')], workspace)
  for (const file of readdirSync(join(root, 'packed'))) {
    const name = /^xen-replication-(.+)-\d+\.\d+\.\d+.*\.tgz$/.exec(file)?.[1]
    if (name !== undefined) await unpack(join(root, 'packed', file), join(modules, '@xen-replication', name))
  }
  for (const name of OUTSIDE) symlinkSync(join(workspace, 'node_modules', name), join(modules, name))
  const [plugin, site] = [join(root, 'plugin'), join(root, 'site')]
  cpSync(example, plugin, { recursive: true })
  writeFileSync(join(plugin, 'package.json'), packageJson())
  await wellRun('npm', ['pack', '--pack-destination', root], plugin)
  await unpack(join(root, 'xr-plugin-http-1.0.0.tgz'), join(site, 'node_modules/xr-plugin-http'))
  return { plugin, site, xr: join(modules, '@xen-replication/cli/bin/xr.cjs') }
}

async function unpack(tarball: string, into: string): Promise<void> {
  mkdirSync(into, { recursive: true })
  await wellRun('tar', ['-xzf', tarball, '--strip-components=1', '-C', into], into)
}

/** As the example's README gives it. */
function packageJson(): string {
  const block = /^```json\n([^]*?)^```$/m.exec(readFileSync(join(example, 'README.md'), 'utf8'))?.[1]
  if (block === undefined) throw new Error('the README of the example gives no package.json')
  return block
}
