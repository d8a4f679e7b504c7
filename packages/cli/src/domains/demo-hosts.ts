import { openMockHost, type MockHost } from '@xen-replication/backend-mock'
import { definePlugin } from '@xen-replication/plugin-api'
import type { Toolstack } from '@xen-replication/toolstack'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VerbContext } from '../commands/command.ts'
import { firstParty } from './first-party.ts'

/** One of two simulated hosts. */
export interface DemoHost {
  readonly name: string
  readonly host: MockHost
  readonly stack: Toolstack
}

/** Two simulated hosts in a folder of their own. */
export interface DemoHosts {
  readonly folder: string
  readonly a: DemoHost
  readonly b: DemoHost
}

/** Makes two simulated hosts for as long as `work` lasts; nothing of them is left after it. */
export async function withDemoHosts<R>(ctx: VerbContext, work: (hosts: DemoHosts) => Promise<R>): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-demo-'))
  try {
    const [a, b] = [await openDemoHost(ctx, folder, 'a'), await openDemoHost(ctx, folder, 'b')]
    try {
      return await work({ folder, a, b })
    } finally {
      await Promise.all([a.stack.close(), b.stack.close()])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function openDemoHost({ env, signal }: VerbContext, folder: string, name: string): Promise<DemoHost> {
  const { compose, noRegistry, systemClock } = await import('@xen-replication/toolstack')
  const host = await openMockHost(join(folder, name), { seed: name.charCodeAt(0) })
  const here = definePlugin({ name: `demo-${name}`, api: 1, contribute: (to) => to.backend('demo', { summary: 'a simulated host', open: () => Promise.resolve(host) }) })
  const stack = await compose({ backend: 'demo', settings: {}, plugins: [...firstParty(env), here], clock: systemClock, registry: noRegistry, signal })
  return { name, host, stack }
}
