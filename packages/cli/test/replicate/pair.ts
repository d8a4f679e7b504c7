import { createMockHost, parseFaults, realClock, withFaults, type DiskJournal, type GuestSpec, type MockHost, type Packet } from '@xen-replication/backend-mock'
import type { HypervisorBackend } from '@xen-replication/hypervisor'
import { definePlugin, type AnyObservedEvent, type Claim, type Plugin, type Verdict } from '@xen-replication/plugin-api'
import { coloPlugin } from '@xen-replication/colo'
import { remusPlugin } from '@xen-replication/remus'
import type { OperationFacts, Received, ReceiveRequest, Registry, Released, Replicated, ReplicateRequest, Toolstack } from '@xen-replication/toolstack'
import { transports } from '@xen-replication/transports'
import { memoryWire, type Break } from '../domains/memory-wire.ts'

const { compose, systemClock, T } = await import('@xen-replication/toolstack')

const MIB = 2 ** 20

/** A host in memory whose guests run in real time, and a toolstack that works with it. */
export interface Side {
  readonly host: MockHost
  readonly stack: Toolstack
  readonly seen: AnyObservedEvent[]
  /** What its guests sent and somebody outside saw. */
  readonly packets: Packet[]
  /** Asks as another terminal would. */
  ask(what: 'abort' | 'failover'): void
}

async function side(plugins: readonly Plugin[], { faults = '', see = () => undefined, diskJournal }: { readonly faults?: string; readonly diskJournal?: DiskJournal | undefined; readonly see?: (event: AnyObservedEvent, side: Side) => void } = {}): Promise<Side> {
  const packets: Packet[] = []
  const seen: AnyObservedEvent[] = []
  const asks: Record<'abort' | 'failover', () => void> = { abort: () => undefined, failover: () => undefined }
  const host = createMockHost({ clock: realClock(), suspendTimeoutMs: 300, ...(diskJournal === undefined ? {} : { diskJournal }), onPacket: (_domId, packet) => packets.push(packet) })
  const backend: HypervisorBackend = faults === '' ? host : withFaults(host, parseFaults(faults))
  const registry: Registry = {
    enter: (_id: string, _facts: OperationFacts, abort, wish) => {
      asks.abort = () => abort('a test')
      asks.failover = () => wish?.('failover')
      return Promise.resolve({ observe: () => undefined, leave: () => Promise.resolve() })
    },
  }
  const mine = definePlugin({ name: 'pair', api: 1, contribute: (to) => to.backend('mock', { summary: 'a host in memory', open: () => Promise.resolve(backend) }) })
  const observe = (event: AnyObservedEvent): void => {
    seen.push(event)
    see(event, made)
  }
  const stack = await compose({
    backend: 'mock', settings: {}, plugins: [mine, transports(), remusPlugin, coloPlugin, ...plugins], observers: [{ observe, close: () => Promise.resolve() }],
    clock: systemClock, registry, signal: never,
  })
  const made: Side = { host, stack, seen, packets, ask: (what) => asks[what]() }
  return made
}

const never: AbortSignal = new AbortController().signal

/** An arbiter both sides share. `first`: whoever asks first wins; a side: that one does; `nobody`: it does not answer. */
export type Judge = 'first' | Claim['side'] | 'nobody'

/** @param revoked grants do not hold any more. @param latest the greatest token that it has granted; without it cannot be asked that */
export function judge(who: Judge | (() => Judge), revoked = false, latest?: () => bigint): { readonly plugin: Plugin; readonly claims: Claim[] } {
  const claims: Claim[] = []
  let winner: Claim['side'] | undefined
  const verdict = (claim: Claim): Verdict => {
    const now = typeof who === 'function' ? who() : who
    claims.push(claim)
    if (now === 'nobody') return { answer: 'unknown', reason: 'it is switched off' }
    winner ??= now === 'first' ? claim.side : now
    return winner === claim.side ? { answer: 'granted', grant: { claim, token: 5n } } : { answer: 'denied', reason: `the ${winner} has it` }
  }
  const open = () => Promise.resolve({ claim: (claim: Claim) => Promise.resolve(verdict(claim)), holds: () => Promise.resolve(!revoked), ...(latest === undefined ? {} : { latest: () => Promise.resolve(latest()) }), close: () => Promise.resolve() })
  return { plugin: definePlugin({ name: 'judge', api: 1, contribute: (to) => to.arbiter('judge', { summary: 'of a test', open }) }), claims }
}

export interface PairOptions {
  readonly guest?: Omit<GuestSpec, 'name'>
  readonly names?: readonly string[]
  /** When the link breaks, counted from the moment at which epoch 0 was acknowledged, or `from` the greeting. */
  readonly break?: Break & { readonly from?: 'greeting' }
  readonly judge?: ReturnType<typeof judge>
  readonly unsafe?: boolean
  readonly request?: Partial<ReplicateRequest>
  readonly receive?: Partial<ReceiveRequest>
  readonly then?: 'run' | 'stay-paused'
  readonly faults?: { readonly primary?: string; readonly backup?: string }
  /** Disks are copied there. */
  readonly diskJournal?: DiskJournal
  /** `cut`: nothing passes any more, in either direction. */
  readonly see?: (event: AnyObservedEvent, who: 'primary' | 'backup', pair: { readonly primary: Side; readonly backup: Side; readonly cut: () => void }) => void
}

/** How both sides ended: what they came back with, or what they threw. */
export interface PairEnd {
  readonly primary: Side
  readonly backup: Side
  readonly sent: Replicated | undefined
  readonly sentError: unknown
  readonly got: Received | Released | undefined
  readonly gotError: unknown
  readonly passed: { readonly there: number; readonly back: number }
}

/** Protects guests of one host on another until that comes to an end. */
export async function protect(options: PairOptions = {}): Promise<PairEnd> {
  const { guest = { kind: 'pvh' }, names = ['demo'], request = {}, receive = {}, then = 'stay-paused', faults = {}, see = () => undefined, unsafe, diskJournal } = options
  const wire = memoryWire()
  const plugins = [wire.plugin, ...(options.judge === undefined ? [] : [options.judge.plugin])]
  const pair: { primary: Side; backup: Side; cut: () => void } = { cut: () => wire.breakLater({ there: 0, back: 0 }) } as never
  pair.primary = await side(plugins, { diskJournal, faults: faults.primary ?? '', see: (event) => {
    const moment = options.break?.from === 'greeting' ? event.kind === 'link.up' : event.kind === 'epoch.acknowledged' && event.data.epoch === 0
    if (moment && options.break !== undefined) wire.breakLater(options.break)
    see(event, 'primary', pair)
  } })
  pair.backup = await side(plugins, { diskJournal, faults: faults.backup ?? '', see: (event) => see(event, 'backup', pair) })
  for (const name of names) await pair.primary.host.createGuest({ memoryBytes: 4 * MIB, workload: 'uniform', rate: 5000, ...guest, name })
  const choice = options.judge === undefined ? { unsafe } : { arbiter: 'judge:test' }
  const receiving = outcome((await pair.backup.stack.get(T.receive))({ url: 'mem:', peer: 'xr', then, ...choice, ...receive }, never))
  const sending = outcome((await pair.primary.stack.get(T.replicate))({ verb: 'remus', strategy: 'remus', options: { interval: 20 }, doms: names, url: 'mem:', failureMs: 4000, heartbeatMs: 200, ...choice, ...request }, never))
  const [got, sent] = await Promise.all([receiving, sending])
  await pair.primary.stack.close()
  await pair.backup.stack.close()
  return { ...pair, sent: sent.result, sentError: sent.error, got: got.result, gotError: got.error, passed: wire.passed }
}

async function outcome<R>(work: Promise<R>): Promise<{ readonly result: R | undefined; readonly error: unknown }> {
  try {
    return { result: await work, error: undefined }
  } catch (error) {
    return { result: undefined, error }
  }
}

/** How the guests of a host stand. */
export const standing = async ({ host }: Side): Promise<readonly string[]> =>
  (await host.list()).map(({ name, paused, shutdown }) => `${name} ${shutdown ?? (paused ? 'paused' : 'runs')}`)

/** What a guest had done, by its own count. */
export async function ops({ host }: Side, name = 'demo'): Promise<number> {
  const domain = (await host.list()).find((one) => one.name === name)
  return domain === undefined ? 0 : host.inspect(domain.domId, (view) => view.ops)
}

export const count = (seen: readonly AnyObservedEvent[], kind: AnyObservedEvent['kind']): number => seen.filter((event) => event.kind === kind).length
