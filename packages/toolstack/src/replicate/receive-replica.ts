import { isXrError } from '@xen-replication/errors'
import { optionValues } from '@xen-replication/plugin-api'
import { EpochReceiver, LockstepReceiver, type Session } from '@xen-replication/session'
import type { Host } from '../operations/host.ts'
import type { Operation } from '../operations/operation.ts'
import { ToolstackError } from '../toolstack-error.ts'
import { latestToken, requireSameKind, requireSameToken, type ArbiterChoice, type ChosenArbiter } from './arbiter-choice.ts'
import { Arbitration } from './arbitration.ts'
import type { SecondaryPacket } from './compared-output.ts'
import { LockstepGuest } from './lockstep-guest.ts'
import { isLockstep, neverDiverged } from './lockstep-role.ts'
import { runRole, type RoleEnd } from './run-role.ts'
import { Secondary, type SecondaryLink } from './secondary.ts'
import { ShadowGuest, type ReplicaPair, type ShadowFacts } from './shadow-guest.ts'
import { uuidOfBytes } from './uuid.ts'

/** Guests in one group, at most. */
const MEMBERS_MAX = 64

export interface ReplicaRequest extends ArbiterChoice {
  readonly then: 'run' | 'stay-paused'
  /** Copies of disks beside those that the backend has, of each guest that comes. */
  readonly replicas?: ReplicaPair['replicas'] | undefined
  /** What the guest is to be called here, instead of what the primary says. Of one guest only. */
  readonly name?: string | undefined
}

/** A guest that was taken over, or was not. */
export interface ReplicaResult {
  /** `taken-over`: they run here, or are paused as asked. `released`: the primary has ended it; nothing is left here. */
  readonly outcome: 'taken-over' | 'released'
  readonly guests: readonly ShadowFacts[]
  /** Epochs that were acknowledged. */
  readonly epochs: number
  readonly bytes: number
}

export interface ReplicaJob {
  readonly host: Pick<Host, 'backend' | 'clock' | 'collected'>
  readonly request: ReplicaRequest
  readonly chosen: ChosenArbiter
  readonly operation: Operation
  /** Where the primary comes in. */
  readonly url: string
}

/**
 * Follows a primary and takes over when it may.
 *
 * @throws ToolstackError TOOL_DENIED, TOOL_ARBITER, TOOL_INTERRUPTED; RestoreError, BackendError, SessionError, LinkError; nothing is left here then
 */
export async function receiveReplica(job: ReplicaJob, session: Session): Promise<ReplicaResult> {
  const lockstep = isLockstep(job.host.collected.need('strategy', session.agreement.purpose).what.secondary) ? new LockstepReceiver(session) : undefined
  const link = lockstep ?? new EpochReceiver(session)
  try {
    const { guest, members, arbiter, heartbeatMs, silenceMs, token } = await link.asked()
    requireSameKind(job.chosen.kind, arbiter)
    const uuid = uuidOfBytes(guest)
    requireSameToken(await latestToken(job.chosen, uuid, job.operation.signal), token)
    if (members === 0 || members > MEMBERS_MAX) throw new ToolstackError('TOOL_GUEST', `the primary wants to protect ${members} guests; ${MEMBERS_MAX} at most are taken`)
    await link.ready({ heartbeatMs, silenceMs })
    const result = await followPrimary(job, { link, id: link.id, guest: uuid, members, strategy: session.agreement.purpose, lockstep, ...(job.chosen.kind === 'arbiter' ? { token } : {}) })
    await session.end()
    return result
  } catch (error) {
    await session.abort('abort', { code: isXrError(error) ? error.code : 'UNKNOWN', message: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

export interface PrimaryFound {
  readonly link: SecondaryLink
  readonly id: string
  /** UUID of the first guest. */
  readonly guest: string
  readonly members: number
  readonly strategy: string
  /** The token under which the pair was made, where that is known. */
  readonly token?: bigint | undefined
  /** The same link, where the guest is to run here too. */
  readonly lockstep?: LockstepBack | undefined
}

/** The way back of guests that run along. `LockstepReceiver` of the session is one. */
interface LockstepBack {
  dirtyPfns(pfns: readonly number[]): Promise<void>
  packets(packets: readonly SecondaryPacket[]): Promise<void>
}

/** Goes through the secondary's table. @throws as `receiveReplica` */
export async function followPrimary(job: ReplicaJob, { link, id, guest, members, strategy, token, lockstep }: PrimaryFound): Promise<ReplicaResult> {
  const { host, operation, chosen, request } = job
  const { emit, wishes } = operation
  if (members > 1 && request.name !== undefined) throw new ToolstackError('TOOL_GUEST', `${members} guests cannot all be called ${request.name}`, { hint: 'leave out --name' })
  const arbitration = new Arbitration({ ...chosen, claim: { guest, session: id, side: 'secondary', token }, clock: host.clock, emit })
  const sources = Array.from({ length: members }, (_, member) => link.source(member))
  const pair = { session: id, replicas: request.replicas ?? (() => []) }
  const running = lockstep === undefined ? undefined : sources.map((source, member) => new LockstepGuest({ backend: host.backend, source, emit, name: request.name, member, pair, show: (packets) => lockstep.packets(packets) }))
  const guests = running ?? sources.map((source) => new ShadowGuest(host.backend, source, { emit, name: request.name, pair }))
  const secondary = new Secondary({ guests, link, arbitration, wishes, then: request.then, lockstep: running === undefined || lockstep === undefined ? undefined : { guests: running, link: lockstep, clock: host.clock } })
  const { options, secondary: role } = host.collected.need('strategy', strategy).what
  const stop = (): void => wishes.ask('stop')
  if (operation.signal.aborted) stop()
  operation.signal.addEventListener('abort', stop, { once: true })
  try {
    const end = await runRole({
      role,
      side: 'secondary',
      options: optionValues(options, {}),
      clock: host.clock,
      emit,
      peer: link,
      wishes,
      signal: new AbortController().signal,
      diverged: neverDiverged,
      lastEpoch: () => undefined,
      shared: (effect, moment) => secondary.perform(effect, moment),
    })
    return outcomeOf(job, end, guests, secondary, link)
  } finally {
    operation.signal.removeEventListener('abort', stop)
    for (const one of guests) {
      await one.close()
      if (one.facts !== undefined) emit('guest.fate', { guest: one.facts.name, side: 'target', fate: one.fate })
    }
  }
}

function outcomeOf({ operation }: ReplicaJob, { why }: RoleEnd, guests: readonly ShadowGuest[], { epochs }: Secondary, link: SecondaryLink): ReplicaResult {
  const facts = guests.flatMap((guest) => (guest.facts === undefined ? [] : [guest.facts]))
  const bytes = guests.reduce((sum, guest) => sum + guest.bytes, 0)
  if (guests.every(({ fate }) => fate !== 'gone')) return { outcome: 'taken-over', guests: facts, epochs, bytes }
  if (operation.signal.aborted) throw operation.signal.reason as Error
  const names = facts.map(({ name }) => name).join(', ') || 'the guest'
  if (link.signal.aborted && epochs > 0) {
    throw new ToolstackError('TOOL_DENIED', `the primary is lost and ${names} may not run here`, { cause: why, hint: 'it runs on the other host, or nobody could say' })
  }
  if (why !== undefined) throw why as Error
  return { outcome: 'released', guests: facts, epochs, bytes }
}
