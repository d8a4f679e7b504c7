import { createMockHost, realClock, type MockHost, type Packet } from '@xen-replication/backend-mock'
import { definePlugin, type AnyObservedEvent } from '@xen-replication/plugin-api'
import type { Received, Released } from '@xen-replication/toolstack'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { VerbContext } from '../commands/command.ts'
import { demoUrls } from './demo-primary.ts'
import { firstParty } from './first-party.ts'

/** How often it is looked whether something is there, in milliseconds. */
const LOOK_MS = 5

/** The backup host of the demonstration, in this process. */
export interface DemoBackup {
  readonly host: MockHost
  /** How the receiving ends. */
  readonly received: Promise<Received | Released>
  close(): Promise<void>
}

/** @param hear is told what its guests send to the world outside */
export async function openDemoBackup({ env, signal }: VerbContext, folder: string, hear: (packet: Packet) => void, observe: (event: AnyObservedEvent) => void): Promise<DemoBackup> {
  const { compose, noRegistry, systemClock, T } = await import('@xen-replication/toolstack')
  const host = createMockHost({ clock: realClock(), seed: 2, onPacket: (_domId, packet) => hear(packet) })
  const here = definePlugin({ name: 'demo-backup', api: 1, contribute: (to) => to.backend('demo', { summary: 'a simulated host', open: () => Promise.resolve(host) }) })
  const stop = new AbortController()
  const stack = await compose({ backend: 'demo', settings: {}, plugins: [...firstParty(env), here], observers: [{ observe, close: () => Promise.resolve() }], clock: systemClock, registry: noRegistry, signal })
  const { link, arbiter } = demoUrls(folder)
  const received = (await stack.get(T.receive))({ url: link, peer: 'xr', then: 'run', arbiter }, AbortSignal.any([stop.signal, signal]))
  received.catch(() => undefined) // whoever waits for it hears of it
  await Promise.race([received, listens(join(folder, 'link'), signal)])
  return {
    host,
    received,
    close: async () => {
      stop.abort()
      await received.catch(() => undefined)
      await stack.close()
    },
  }
}

/** Waits until somebody can connect to a socket. */
async function listens(path: string, signal: AbortSignal): Promise<void> {
  while (!existsSync(path)) await setTimeout(LOOK_MS, undefined, { signal })
}
