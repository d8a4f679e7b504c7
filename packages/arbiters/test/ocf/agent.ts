import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir, type TempDir } from '../temp-dir.ts'

const debian = join(import.meta.dirname, '../../../../.cache/debian')
const ocf = join(debian, 'resource-agents/usr/lib/ocf')
const lint = join(debian, 'libxml2-utils/usr/bin/xmllint')
const libraries = ['libxml2', 'libicu72'].map((name) => join(debian, name, 'usr/lib/x86_64-linux-gnu')).join(':')

/** Whether Debian's resource-agents are there: `tools/debian-package.sh resource-agents libxml2-utils libxml2 libicu72`. */
export const ocfThere = existsSync(ocf) && existsSync(lint)
export const ocfRequired = process.env['XR_REQUIRE_OCF'] === '1'

interface Run {
  readonly status: number | null
  readonly output: string
}

/** The agent on a host of its own, where a stand-in plays xr. */
export interface AgentHost {
  readonly dir: TempDir
  /** Makes a file that tells the stand-in how things are; see stand-in-xr.sh. */
  set(...names: readonly string[]): void
  unset(...names: readonly string[]): void
  has(name: string): boolean
  /** What xr was told to do, calls that only look left out. */
  calls(): readonly string[]
  act(action: string, env?: Readonly<Record<string, string>>): Run
  /** Debian's ocf-tester on it. */
  tester(): Run
  remove(): void
}

const parameters = { guest: 'web', listen: 'tcp://0.0.0.0:9000', peer: 'tcp://peer:9000', arbiter: 'file:/shared', options: '-i 50', stop_command: 'rm -f $STAND_IN/here' }

export function agentHost(): AgentHost {
  const dir = tempDir()
  chmodSync(dir.root, 0o755) // the tester looks whether nobody may read the agent
  for (const name of ['state', 'run']) mkdirSync(dir.path(name))
  cpSync(ocf, dir.path('ocf'), { recursive: true })
  copyFileSync(join(import.meta.dirname, '../../ocf/protect'), dir.path('protect'))
  copyFileSync(join(import.meta.dirname, 'stand-in-xr.sh'), dir.path('xr'))
  const at = (name: string): string => join(dir.path('state'), name)
  const env = { PATH: process.env['PATH'], OCF_ROOT: dir.path('ocf'), HA_RSCTMP: dir.path('run'), STAND_IN: dir.path('state'), LD_LIBRARY_PATH: libraries, HA_SBIN_DIR: dir.path('run'), OCF_RESOURCE_INSTANCE: 'web-protect' }
  const keys = Object.entries({ ...parameters, xr: dir.path('xr') })
  const run = (program: string, args: readonly string[], more: Readonly<Record<string, string>>): Run => {
    const { status, stdout, stderr } = spawnSync(program, args, { env: { ...env, ...more }, encoding: 'utf8', timeout: 55_000 })
    return { status, output: stdout + stderr }
  }
  return {
    dir,
    set: (...names) => names.forEach((name) => writeFileSync(at(name), '')),
    unset: (...names) => names.forEach((name) => rmSync(at(name), { force: true })),
    has: (name) => existsSync(at(name)),
    calls: () => readFileSync(at('calls'), 'utf8').split('\n').filter((line) => line !== '' && !/^(list|status) /.test(line)),
    act: (action, more = {}) => run(dir.path('protect'), [action], { ...Object.fromEntries(keys.map(([name, value]) => [`OCF_RESKEY_${name}`, value])), OCF_RESKEY_CRM_meta_interval: '10000', ...more }),
    tester: () => {
      const text = readFileSync(join(debian, 'resource-agents/usr/sbin/ocf-tester'), 'utf8')
      writeFileSync(dir.path('ocf-tester'), text.replace('DATADIR=/usr/share', `DATADIR=${join(debian, 'resource-agents/usr/share')}`).replace('METADATA_LINT="xmllint', `METADATA_LINT="${lint}`))
      return run('sh', [dir.path('ocf-tester'), '-v', '-n', 'web-protect', ...keys.flatMap(([name, value]) => ['-o', `${name}=${value}`]), dir.path('protect')], {})
    },
    remove: () => {
      for (const name of ['receive', 'remus'].filter((name) => existsSync(at(name)))) {
        try {
          process.kill(Number(readFileSync(at(name), 'utf8')))
        } catch {
          // gone already
        }
      }
      dir.remove()
    },
  }
}
