import { createMockHost, realClock } from '@xen-replication/backend-mock'
import { definePlugin, type AnyObservedEvent } from '@xen-replication/plugin-api'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { VerbContext } from '../commands/command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { OPS_A_REQUEST } from './demo-client.ts'
import { demoWriter } from './demo-lines.ts'
import { firstParty } from './first-party.ts'

/** A checkpoint every so many milliseconds. */
export const DEMO_INTERVAL_MS = 25
export const REQUESTS_A_SECOND = 100
export const DEMO_MEMORY_MIB = 16

/** Where the two sides of the demonstration meet. */
export const demoUrls = (folder: string): { readonly link: string; readonly arbiter: string } => ({ link: `unix:${join(folder, 'link')}`, arbiter: `file:${join(folder, 'arbiter')}` })

/**
 * The primary host of the demonstration: it lives in the memory of this process and dies with it, guest and all. What a real host would send to
 * the world outside goes to stdout, as lines of JSON.
 *
 * @throws as `replicateGuests`
 */
export async function demoPrimary({ env, stdout, signal }: VerbContext, folder: string): Promise<ExitCode> {
  const { compose, noRegistry, systemClock, T } = await import('@xen-replication/toolstack')
  const stop = new AbortController()
  const tell = demoWriter(stdout, () => stop.abort())
  const host = createMockHost({ clock: realClock(), seed: 1, onPacket: (_domId, packet) => tell({ packet }) })
  const id = await host.createGuest({ name: 'demo', kind: 'hvm', memoryBytes: DEMO_MEMORY_MIB << 20, workload: 'zipf', rate: REQUESTS_A_SECOND * OPS_A_REQUEST, fill: 0.3 })
  const observe = (event: AnyObservedEvent): void => {
    tell({ event, originMs: performance.timeOrigin })
    if (event.kind === 'epoch.released') void host.inspect(id, ({ ops }) => tell({ served: Math.floor(ops / OPS_A_REQUEST) })).catch(() => undefined)
  }
  const here = definePlugin({ name: 'demo-primary', api: 1, contribute: (to) => to.backend('demo', { summary: 'a simulated host', open: () => Promise.resolve(host) }) })
  const stack = await compose({ backend: 'demo', settings: {}, plugins: [...firstParty(env), here], observers: [{ observe, close: () => Promise.resolve() }], clock: systemClock, registry: noRegistry, signal })
  try {
    const { link, arbiter } = demoUrls(folder)
    await (await stack.get(T.replicate))({ verb: 'remus', strategy: 'remus', options: { interval: DEMO_INTERVAL_MS }, doms: ['demo'], url: link, arbiter }, AbortSignal.any([stop.signal, signal]))
    return exitCodes.done
  } finally {
    await stack.close()
  }
}
