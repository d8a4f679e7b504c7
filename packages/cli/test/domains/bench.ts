import { createMockHost, parseFaults, virtualClock, withFaults, type GuestSpec, type MockHost } from '@xen-replication/backend-mock'
import type { Clock, DomId, HypervisorBackend } from '@xen-replication/hypervisor'
import { definePlugin, type AnyObservedEvent, type Plugin } from '@xen-replication/plugin-api'
import type { MigrateRequest, Received, ReceiveRequest, Toolstack } from '@xen-replication/toolstack'
import { transports } from '@xen-replication/transports'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../run-xr.ts'

const { compose, noRegistry, systemClock, T } = await import('@xen-replication/toolstack')

const MIB = 2 ** 20

/** Every kind of guest there is, small. */
export const kinds: readonly (Omit<GuestSpec, 'name'> & { readonly title: string })[] = [
  { title: 'a 64-bit PV guest', kind: 'pv', width: 8, balloonedPages: 70 },
  { title: 'a 64-bit PV guest with a p2m tree', kind: 'pv', width: 8, p2m: 'tree' },
  { title: 'a 32-bit PV guest', kind: 'pv', width: 4 },
  { title: 'a PVH guest', kind: 'pvh' },
  { title: 'an HVM guest', kind: 'hvm', modelXenstore: [['physmap/f0000000/name', 'vga']] },
]

/** A simulated host in memory on which time stands still, and a toolstack that works with it. */
export interface Bench {
  readonly host: MockHost
  readonly stack: Toolstack
  readonly seen: readonly AnyObservedEvent[]
}

/** @param faults as `parseFaults()` reads them */
export async function bench({ faults = '', plugins = [], see = () => undefined, clock = virtualClock() }: BenchOptions = {}): Promise<Bench> {
  const host = createMockHost({ clock, suspendTimeoutMs: 50 })
  return benchOver(host, faults === '' ? host : withFaults(host, parseFaults(faults)), plugins, see)
}

interface BenchOptions {
  readonly faults?: string
  readonly plugins?: readonly Plugin[]
  readonly see?: (event: AnyObservedEvent) => void
  readonly clock?: Clock
}

export async function benchOver(host: MockHost, backend: HypervisorBackend, plugins: readonly Plugin[] = [], see: (event: AnyObservedEvent) => void = () => undefined): Promise<Bench> {
  const seen: AnyObservedEvent[] = []
  const observe = (event: AnyObservedEvent): void => {
    seen.push(event)
    see(event)
  }
  const mine = definePlugin({ name: 'bench', api: 1, contribute: (to) => to.backend('mock', { summary: 'a host in memory', open: () => Promise.resolve(backend) }) })
  const stack = await compose({
    backend: 'mock', settings: {}, plugins: [mine, transports(), ...plugins], observers: [{ observe, close: () => Promise.resolve() }],
    clock: systemClock, registry: noRegistry, signal: never,
  })
  return { host, stack, seen }
}

const never: AbortSignal = new AbortController().signal

/** Makes a guest that has worked for a while. */
export async function worked({ host }: Bench, spec: Omit<GuestSpec, 'name'>): Promise<DomId> {
  const domId = await host.createGuest({ memoryBytes: 6 * MIB, vcpus: 2, ...spec, name: 'demo' })
  await host.advance(700)
  return domId
}

export const save = async ({ stack }: Pick<Bench, 'stack'>, url: string, then: 'destroy' | 'resume' | 'pause' = 'destroy', signal: AbortSignal = never) => (await stack.get(T.save))({ dom: 'demo', url, then }, signal)
export const restore = async ({ stack }: Pick<Bench, 'stack'>, url: string, then: 'run' | 'stay-paused' = 'stay-paused', signal: AbortSignal = never) => (await stack.get(T.restore))({ url, then }, signal)

export const migrate = async ({ stack }: Pick<Bench, 'stack'>, request: Partial<MigrateRequest> & { readonly url: string }, signal: AbortSignal = never) =>
  (await stack.get(T.migrate))({ dom: 'demo', peer: 'xr', mode: 'live', link: { waitMs: 0 }, ...request }, signal)
export const receive = async ({ stack }: Pick<Bench, 'stack'>, request: Partial<ReceiveRequest> & { readonly url: string }, signal: AbortSignal = never) =>
  (await (await stack.get(T.receive))({ peer: 'xr', then: 'stay-paused', waitMs: 0, ...request }, signal)) as Received

/** The libxl stream of a guest as it stands, whatever it stands for. */
export async function imageOf({ host }: Pick<Bench, 'host'>, domId: DomId): Promise<Uint8Array> {
  const file = join(scratch(), 'as-it-stands.xl')
  const { stack } = await benchOver(host, over(host, {
    list: async () => (await host.list()).filter((one) => one.domId === domId).map((one) => ({ ...one, name: 'demo', paused: false, shutdown: undefined })),
    openForSave: async () => {
      const guest = await host.openForSave(domId)
      return over(guest, { lifecycle: { ...still, destroy: () => Promise.resolve() } })
    },
  }))
  await save({ stack }, `file:${file}`)
  return streamIn(readFileSync(file))
}

/** It stands, and shall not be disturbed. */
const still = {
  suspend: () => Promise.resolve(),
  state: () => Promise.resolve({ dying: false, paused: false, shutdown: 'suspend' }),
}

/** What follows the configuration in an xl file. */
export const streamIn = (file: Buffer): Buffer => file.subarray(48 + file.readUInt32LE(44))

/** The same object with some properties in place of its own. */
export function over<V extends object>(object: V, own: Readonly<Record<string, unknown>>): V {
  return new Proxy(object, {
    get: (target, name) => {
      if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** How the guests of a host stand. */
export const standing = async ({ host }: Bench): Promise<readonly string[]> =>
  (await host.list()).map(({ name, paused, shutdown }) => `${name} ${shutdown ?? (paused ? 'paused' : 'runs')}`)
