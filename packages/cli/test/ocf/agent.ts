import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { scratch } from '../run-xr.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const debian = at('../../../../.cache/debian/resource-agents/usr/lib/ocf')

/** Whether Debian's resource-agents are there: `tools/debian-package.sh resource-agents`. */
export const ocfThere = existsSync(debian)
export const ocfRequired = process.env['XR_REQUIRE_OCF'] === '1'

interface Run {
  readonly status: number | null
  readonly output: string
}

/** One of two hosts, with the agent for Pacemaker and the real `xr`. */
export interface AgentHost {
  /** What Pacemaker would do. */
  act(action: string, env?: Readonly<Record<string, string>>): Promise<Run>
  xr(...words: readonly string[]): Promise<Run>
  /** How the guests of the host stand. */
  guests(): Promise<readonly string[]>
  /** The host dies, with its guests and all that runs there. */
  die(): Promise<void>
}

const NAMES = ['a', 'b'] as const

/** Two hosts that protect `web` on each other. */
export function cluster(): Readonly<Record<'a' | 'b', AgentHost>> {
  const folder = scratch()
  cpSync(debian, join(folder, 'ocf'), { recursive: true })
  const [a, b] = NAMES.map((name) => agentHost(folder, name, name === 'a' ? 'b' : 'a')) as [AgentHost, AgentHost]
  return { a, b }
}

function agentHost(folder: string, name: 'a' | 'b', other: 'a' | 'b'): AgentHost {
  const home = join(folder, name)
  const link = (of: string): string => `unix:${join(folder, of, 'link')}`
  const xr = join(home, 'xr')
  for (const part of ['', 'log', 'run']) mkdirSync(join(home, part), { recursive: true })
  writeFileSync(xr, `#!/bin/sh\nexec '${process.execPath}' '${at('../../bin/xr.cjs')}' "$@"\n`)
  chmodSync(xr, 0o755)
  const words = `--mock-host ${join(home, 'guests')}`
  const parameters = {
    guest: 'web', listen: link(name), peer: link(other), xr, xr_options: words, options: '-i 50 --heartbeat 500ms --failure-timeout 30s',
    boot_command: `'${xr}' ${words} create web --memory 4MiB --type pvh`, stop_command: `'${xr}' ${words} destroy web`,
  }
  const env = {
    PATH: process.env['PATH'], XDG_RUNTIME_DIR: join(home, 'run'), XDG_CONFIG_HOME: home, OCF_ROOT: join(folder, 'ocf'), HA_RSCTMP: join(home, 'log'), HA_SBIN_DIR: join(home, 'log'), OCF_RESOURCE_INSTANCE: 'web-protect',
    OCF_RESKEY_CRM_meta_interval: '10000', ...Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`OCF_RESKEY_${key}`, value])),
  }
  const call = (...argv: readonly string[]): Promise<Run> => ran(xr, [...words.split(' '), ...argv], env)
  const underWay = async (): Promise<readonly { readonly pid: number }[]> => (JSON.parse((await call('status', '--json')).output) as { readonly operations: readonly { readonly pid: number }[] }).operations
  const kill = async (): Promise<void> => {
    for (const { pid } of existsSync(join(home, 'run', 'xr')) ? await underWay() : []) process.kill(pid, 'SIGKILL')
  }
  onTestFinished(kill)
  return {
    act: (action, more = {}) => ran(at('../../../arbiters/ocf/protect'), [action], { ...env, ...more }),
    xr: call,
    guests: async () => {
      const { domains } = JSON.parse((await call('list', '--json')).output) as { readonly domains: readonly { readonly name: string; readonly state: string }[] }
      return domains.map((domain) => `${domain.name} ${domain.state}`)
    },
    die: async () => {
      await kill()
      rmSync(join(home, 'guests'), { recursive: true, force: true })
    },
  }
}

/** Runs a program. What it leaves running has its output elsewhere. */
function ran(program: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<Run> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status) => setTimeout(() => resolve({ status, output }), 50))
  })
}
