import { fromHex, toHex } from '@xen-replication/format'
import { isXrError } from '@xen-replication/errors'
import type { Arbiter, Channel, Clock, OptionValues, Strategy } from '@xen-replication/plugin-api'
import { EpochReceiver, EpochSender, LockstepReceiver, LockstepSender, openReceiver, openSender, type Session } from '@xen-replication/session'
import { followPrimary, keepProtected, Wishes, type KeepRequest, type KeptResult, type PrimaryLink, type ReplicaJob, type ReplicaResult, type SecondaryLink } from '@xen-replication/toolstack'

/** As `Operation` of the toolstack. */
type Operation = KeepRequest['operation']

/** What one side of the pair is made of. */
export interface Side {
  readonly channel: Channel
  readonly clock: Clock
  readonly random: (bytes: number) => Uint8Array
  readonly operation: Operation
  readonly arbiter: Arbiter
}

export interface Times {
  readonly heartbeatMs: number
  readonly silenceMs: number
  readonly stalledMs: number
}

/** How long greetings may take here, and silence before there is a copy, in milliseconds. */
const GREETING_MS = 1_000
/** Batches of the size that guests have here. */
const SIZES = { batchBytes: 64 * 1024, windowBytes: 1024 * 1024 } as const

/** Whether the secondary's guest runs along. */
interface Secondaries {
  readonly secondary: 'waits' | 'runs-along'
}

export interface PrimaryTask extends Side, Secondaries {
  readonly backend: KeepRequest['host']['backend']
  readonly name: string
  readonly strategy: Strategy
  readonly options: OptionValues
  readonly times: Times
  /** Room for what waits to be sent, in bytes. */
  readonly stageBytes: number
  readonly link: (link: PrimaryLink) => PrimaryLink
}

/** Does what `xr replicate` does once its link is made. @throws as `keepProtected` */
export async function protect(task: PrimaryTask): Promise<KeptResult> {
  const { backend, channel, clock, random, operation, arbiter, strategy, options, times } = task
  const domains = await backend.list()
  let session: Session | undefined
  try {
    const { heartbeatMs, silenceMs, stalledMs } = times
    const limits = { heartbeatMs, silenceMs: Math.max(GREETING_MS, silenceMs), handshakeMs: GREETING_MS, ...SIZES }
    session = await openSender({ channel, clock, purpose: task.name, limits, must: ['replication'], compression: 'none', random })
    const lockstep = task.secondary === 'runs-along' ? new LockstepSender(session, stalledMs) : undefined
    const sender = lockstep ?? new EpochSender(session, stalledMs)
    await sender.begin({ guest: fromHex((domains[0]?.uuid ?? '').replaceAll('-', '')) as Uint8Array, token: 0n, heartbeatMs, silenceMs, members: 1, arbiter: 1 })
    const link = { id: sender.id, ...task.link(sender) }
    const kept = await keepProtected({ host: { backend, clock }, role: strategy.primary, options, domains, chosen: { kind: 'arbiter', arbiter }, operation, link, lockstep, peer: 'host b', stageBytesMax: task.stageBytes })
    await session.end()
    return kept
  } catch (error) {
    await session?.abort('abort', reasonOf(error))
    throw error
  } finally {
    await channel.close()
  }
}

export interface SecondaryTask extends Side, Secondaries {
  readonly backend: ReplicaJob['host']['backend']
  readonly collected: ReplicaJob['host']['collected']
  readonly name: string
  readonly link: (link: SecondaryLink) => SecondaryLink
}

/** Does what `xr receive` does once somebody has dialled. @throws as `followPrimary` */
export async function follow(task: SecondaryTask): Promise<ReplicaResult> {
  const { backend, collected, channel, clock, random, operation, arbiter } = task
  let session: Session | undefined
  try {
    session = await openReceiver({ channel, clock, purpose: 'migrate', alsoFor: [task.name], limits: { handshakeMs: GREETING_MS, silenceMs: GREETING_MS, heartbeatMs: GREETING_MS / 10, ...SIZES }, compression: 'none', random })
    const lockstep = task.secondary === 'runs-along' ? new LockstepReceiver(session) : undefined
    const receiver = lockstep ?? new EpochReceiver(session)
    const { guest, members, heartbeatMs, silenceMs } = await receiver.asked()
    await receiver.ready({ heartbeatMs, silenceMs })
    const job = { host: { backend, clock, collected }, request: { then: 'run' as const }, chosen: { kind: 'arbiter' as const, arbiter }, operation, url: 'host a' }
    const result = await followPrimary(job, { link: task.link(receiver), id: receiver.id, guest: uuidOf(guest), members, strategy: session.agreement.purpose, lockstep })
    await session.end()
    return result
  } catch (error) {
    await session?.abort('abort', reasonOf(error))
    throw error
  } finally {
    await channel.close()
  }
}

/** An operation that nobody but the run looks at. */
export function operationOf(clock: Clock, emit: Operation['emit']): Operation {
  return { id: 'simulated', signal: new AbortController().signal, emit, wishes: new Wishes(), now: () => clock.now() }
}

/** A UUID as it is written. */
const uuidOf = (bytes: Uint8Array): string => toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const reasonOf = (error: unknown): { readonly code: string; readonly message: string } => ({ code: isXrError(error) ? error.code : 'UNKNOWN', message: error instanceof Error ? error.message : String(error) })
