import type { Channel, Listener } from '@xen-replication/plugin-api'
import { openReceiver, receiveFromXl, receiveGuest as receiveOver, type ReceiveResult, type Session, XlColoReceiver, XlEpochReceiver } from '@xen-replication/session'
import { closeOnAbort } from '../links/close-on-abort.ts'
import { leadsBack } from '../links/redial.ts'
import { tellSession } from '../observe/session-events.ts'
import { openArbiter, requireXlAble, type ArbiterChoice, type ChosenArbiter } from '../replicate/arbiter-choice.ts'
import { followPrimary, receiveReplica, type ReplicaRequest, type ReplicaResult } from '../replicate/receive-replica.ts'
import { ToolstackError } from '../toolstack-error.ts'
import type { Host } from './host.ts'
import { IncomingGuest } from './incoming-guest.ts'
import type { Operation } from './operation.ts'
import { restored, type Restored } from './restore.ts'

export interface ReceiveRequest extends ArbiterChoice {
  readonly url: string
  /** Who sends: `xr migrate`, or `xl migrate`. */
  readonly peer: 'xr' | 'xl'
  /** Of xl: `remus` for checkpoints without end, as with `xl migrate-receive -r`; `colo` for a guest in lock-step, as with `--colo`. */
  readonly stream?: 'plain' | 'remus' | 'colo' | undefined
  /** Of xl, `colo`: what the primary expects that is not specified. */
  readonly quirk?: 'c64-surplus' | undefined
  /** What the guest does once it is here. */
  readonly then: 'run' | 'stay-paused'
  /** What it is to be called here, instead of what the sender says. */
  readonly name?: string | undefined
  /** Copies of disks beside those that the backend has, of each guest that is replicated here. */
  readonly replicas?: ReplicaRequest['replicas']
  /** Between two xr: how long to wait for a link that was lost, in milliseconds. */
  readonly waitMs?: number | undefined
}

/** A primary has ended its replication: nothing is left here. */
export interface Released {
  readonly released: true
  readonly guests: readonly string[]
  readonly epochs: number
}

export interface Received extends Restored {
  readonly released?: false
  /** Of a guest that was taken over from a primary: how many epochs had been acknowledged, and the guests of its group. */
  readonly replica?: { readonly epochs: number; readonly guests: readonly string[] } | undefined
  /** The sender may not know that its guest is here: why. */
  readonly doubt: Error | undefined
}

/**
 * Takes one guest from another host.
 *
 * @throws BackendError, RestoreError, LinkError, SessionError, PluginError, ToolstackError, FormatError; nothing of the guest is left here then, or what
 *   is left does not run
 */
export async function receiveGuest(host: Host, request: ReceiveRequest, signal: AbortSignal): Promise<Received | Released> {
  const { url, peer } = request
  host.links.transport(url)
  if (peer === 'xl' && (request.arbiter ?? 'none') !== 'none') requireXlAble(request)
  const chosen = await openArbiter(host.collected, request, signal)
  return host.operations.run({ verb: 'receive', guest: undefined, url }, signal, async (operation) => {
    const listener = await host.links.listen(url, operation.signal)
    try {
      const channel = await listener.accept(operation.signal)
      return await (peer === 'xl' ? fromXl : fromXr)({ host, request, operation, listener, channel, chosen })
    } finally {
      await listener.close()
    }
  }).finally(() => chosen.arbiter?.close())
}

interface Job {
  readonly host: Host
  readonly request: ReceiveRequest
  readonly operation: Operation
  readonly listener: Listener
  readonly channel: Channel
  readonly chosen: ChosenArbiter
}

async function fromXr(job: Job): Promise<Received | Released> {
  const { host, request, operation, listener, channel } = job
  const { url, waitMs } = request
  const session = await openReceiver({
    channel,
    clock: host.clock,
    purpose: 'migrate',
    alsoFor: host.collected.of('strategy').map(({ name }) => name),
    limits: waitMs === undefined ? {} : { resumeWaitMs: waitMs },
    ...(leadsBack(url) ? { again: (signal) => listener.accept(signal) } : {}),
    observe: tellSession(operation.emit, url),
    signal: operation.signal,
  })
  operation.emit('link.up', { url })
  if (session.agreement.purpose !== 'migrate') return replica(job, session)
  return take(job, 'beside-its-copy', (guest) => receiveOver(session, guest, operation.signal))
}

async function replica({ host, request, operation, listener, chosen }: Job, session: Session): Promise<Received | Released> {
  await listener.close() // the session ends with its link
  return replicated(await receiveReplica({ host, request, chosen, operation, url: request.url }, session))
}

async function replicaFromXl({ host, request, operation, chosen, channel }: Job): Promise<Received | Released> {
  const lockstep = request.stream === 'colo' ? new XlColoReceiver(channel, { quirk: request.quirk }) : undefined
  const link = lockstep ?? new XlEpochReceiver(channel)
  await link.begin()
  const { id } = link
  return replicated(await followPrimary({ host, request, chosen, operation, url: request.url }, { link, id, guest: id, members: 1, strategy: lockstep === undefined ? 'remus' : 'colo', lockstep }))
}

function replicated({ outcome, guests, epochs, bytes }: ReplicaResult): Received | Released {
  const names = guests.map(({ name }) => name)
  const [first] = guests
  if (outcome === 'released' || first === undefined) return { released: true, guests: names, epochs }
  return { guest: first.name, domId: first.domId, kind: first.kind, bytes, doubt: undefined, replica: { epochs, guests: names } }
}

async function fromXl(job: Job): Promise<Received | Released> {
  const { host, operation, listener, channel } = job
  await listener.close() // xl comes once
  if (job.request.stream === 'remus' || job.request.stream === 'colo') return replicaFromXl(job).finally(() => channel.close())
  const forget = closeOnAbort(channel, operation.signal)
  try {
    return await take(job, 'in-the-end', (guest) => receiveFromXl(channel, guest, operation.signal, { clock: host.clock }), forget)
  } finally {
    forget()
    await channel.close()
  }
}

async function take({ host, request, operation }: Job, naming: 'beside-its-copy' | 'in-the-end', receive: (guest: IncomingGuest) => Promise<ReceiveResult>, onHandOver?: () => void): Promise<Received> {
  const guest = new IncomingGuest(host.backend, operation, { naming, then: request.then, name: request.name, onHandOver })
  try {
    const { end, why, trouble } = await receive(guest)
    if (end === 'stuck') throw leftOver(guest, trouble, why)
    if (end !== 'running') throw why
    return { ...restored(guest), doubt: why instanceof Error ? why : undefined }
  } finally {
    await guest.close()
  }
}

function leftOver({ facts }: IncomingGuest, trouble: unknown, why: unknown): ToolstackError {
  const [first, last] = [why, trouble].map((one) => (one instanceof Error ? one.message : String(one)))
  return new ToolstackError('TOOL_LEFT_OVER', `${first ?? ''}; what was built of ${facts?.name ?? 'the guest'} could not be destroyed: ${last ?? ''}`, { cause: why, hint: '`xr destroy` it; never let it run' })
}
