import { PAGE_SIZE, type CheckpointDevice, type DomainSummary, type RemoteComparator } from '@xen-replication/hypervisor'
import { ReplError, type OptionValues, type Role } from '@xen-replication/plugin-api'
import type { GuestFate } from '../observe/tool-events.ts'
import type { Host } from '../operations/host.ts'
import type { Operation } from '../operations/operation.ts'
import type { Holes } from '../operations/write-guest.ts'
import { ToolstackError } from '../toolstack-error.ts'
import type { ChosenArbiter } from './arbiter-choice.ts'
import { Arbitration } from './arbitration.ts'
import { isLockstep, neverDiverged } from './lockstep-role.ts'
import { openOutput, type LockstepLink } from './open-output.ts'
import { Primary, type PrimaryLink, type PrimaryLockstep } from './primary.ts'
import { ProtectedGuest, STAGE_BYTES_MAX } from './protected-guest.ts'
import { runRole, type RoleEnd } from './run-role.ts'

export interface KeepRequest {
  readonly host: Pick<Host, 'backend' | 'clock'>
  readonly role: Role
  readonly options: OptionValues
  readonly domains: readonly DomainSummary[]
  readonly chosen: ChosenArbiter
  readonly operation: Operation
  readonly link: PrimaryLink & { readonly id: string }
  /** The same link, where the guests run on both hosts. */
  readonly lockstep?: LockstepLink | undefined
  /** Reaches the QEMU that compares, where one may. */
  readonly compareAt?: ((url: string) => Promise<RemoteComparator>) | undefined
  /** Where the peer is, for messages. */
  readonly peer: string | undefined
  /** Devices of a guest beside those that the backend has. */
  readonly moreDevices?: ((domain: DomainSummary) => readonly CheckpointDevice[]) | undefined
  /** The token under which the pair was made, where that is known. */
  readonly token?: bigint | undefined
  /** Silence after which the peer takes over, in milliseconds. */
  readonly silenceMs?: number | undefined
  /** Largest staging area of a guest, in bytes; what an epoch has beyond it is sent while the guest stands. */
  readonly stageBytesMax?: number | undefined
  /** Default `as-xen`, which every peer restores. */
  readonly holes?: Holes | undefined
}

export interface KeptResult {
  readonly outcome: 'handed-over' | 'stopped'
  readonly epochs: number
  readonly fate: GuestFate
}

/** Has one side of a strategy keep guests protected until it comes to an end. @throws as `replicateGuests` */
export async function keepProtected(request: KeepRequest): Promise<KeptResult> {
  const { host, domains, operation, link, chosen, token, silenceMs } = request
  const claim = { guest: (domains[0] as DomainSummary).uuid, session: link.id, side: 'primary' as const, token }
  const arbitration = new Arbitration({ ...chosen, claim, freshMs: silenceMs, clock: host.clock, emit: operation.emit })
  const guests: ProtectedGuest[] = []
  let lockstep: PrimaryLockstep | undefined
  operation.emit('guest.announced', announced(domains))
  try {
    for (const [member, domain] of domains.entries()) guests.push(await openGuest(request, domain, member))
    lockstep = await openLockstep(request)
    const primary = new Primary({ guests, link, arbitration, clock: host.clock, emit: operation.emit, lockstep })
    const end = await ran(request, primary, guests, lockstep)
    return outcomeOf(request, end, guests, primary)
  } finally {
    await lockstep?.output?.end('drop').catch(() => undefined) // whoever may has let it go before
    for (const guest of guests) {
      operation.emit('guest.fate', { guest: guest.domain.name, side: 'source', fate: guest.fate })
      await guest.close()
    }
  }
}

async function openLockstep(request: KeepRequest): Promise<PrimaryLockstep | undefined> {
  const { role, lockstep } = request
  if (!isLockstep(role)) return undefined
  if (lockstep === undefined) throw new ReplError('REPL_OPTION', 'this strategy needs a peer that runs the guest too', { hint: 'it does not work with a black hole, nor with a peer that only keeps checkpoints' })
  const output = await openOutput(request)
  lockstep.onPackets((packets) => output?.secondary(packets))
  return { dirtyPfns: () => lockstep.dirtyPfns(), flush: () => lockstep.flush(), output }
}

async function openGuest(request: KeepRequest, domain: DomainSummary, member: number): Promise<ProtectedGuest> {
  const { host: { backend }, operation, link, options, role, peer, moreDevices, holes = 'as-xen' } = request
  const stageBytesMax = isLockstep(role) ? 0 : (request.stageBytesMax ?? STAGE_BYTES_MAX)
  const config = await backend.config(domain.domId)
  const guest = await backend.openForSave(domain.domId)
  const kept = { network: holdsPackets(role, options), disk: options['no-diskbuf'] !== true, guest: peer !== undefined }
  const devices = [...guest.devices, ...(moreDevices?.(domain) ?? [])].filter(({ kind }) => kept[kind])
  try {
    return await ProtectedGuest.open({ domain, config, guest, devices, sink: link.sink(member), session: link.id, stageBytesMax, holes }, operation)
  } catch (error) {
    await guest.close()
    throw error
  }
}

/** Whether packets wait for checkpoints: not where they are compared, or where that was not wanted. */
const holdsPackets = (role: Role, options: OptionValues): boolean => options['no-netbuf'] !== true && (!isLockstep(role) || options['no-compare'] === true)

/** A table that cannot go on leaves guests that stand: nobody knows then whether they may run. */
async function ran({ host, role, options, operation, link }: KeepRequest, primary: Primary, guests: readonly ProtectedGuest[], lockstep: PrimaryLockstep | undefined): Promise<RoleEnd> {
  const stop = (): void => operation.wishes.ask('stop')
  if (operation.signal.aborted) stop()
  operation.signal.addEventListener('abort', stop, { once: true })
  try {
    return await runRole({
      role,
      side: 'primary',
      options,
      clock: host.clock,
      emit: operation.emit,
      peer: link,
      wishes: operation.wishes,
      signal: new AbortController().signal,
      diverged: (signal) => (lockstep?.output ?? { diverged: neverDiverged }).diverged(signal),
      lastEpoch: () => primary.lastEpoch,
      shared: (effect, moment) => primary.perform(effect, moment),
    })
  } catch (error) {
    for (const guest of guests) await guest.stand().catch(() => undefined)
    throw error
  } finally {
    operation.signal.removeEventListener('abort', stop)
  }
}

function outcomeOf({ link, operation, domains, peer = 'nobody' }: KeepRequest, { why, granted }: RoleEnd, guests: readonly ProtectedGuest[], { epochs }: Primary): KeptResult {
  const fate = (guests.find((guest) => guest.fate !== 'ended') ?? guests[0])?.fate ?? 'unknown'
  const names = domains.map(({ name }) => name).join(', ')
  const lost = link.signal.aborted
  const detail = { cause: why }
  if (fate === 'gone' && !lost) return { outcome: 'handed-over', epochs, fate }
  if (fate === 'ended' && why !== undefined) throw why as Error
  if (fate !== 'runs') {
    throw new ToolstackError('TOOL_DENIED', fate === 'gone' ? `the link to ${peer} is lost and the other side has won ${names}` : `the link to ${peer} is lost and nobody could say which side may run ${names}`, {
      ...detail,
      hint: fate === 'gone' ? 'it runs there' : 'look on the other host; where it is to run: `xr failover`, or let it go on with the tools of the host; never on both',
    })
  }
  if (granted.includes('stop') && operation.signal.aborted) throw operation.signal.reason as Error
  if (lost) throw new ToolstackError('TOOL_UNPROTECTED', `the link to ${peer} is lost${because(why)}`, { ...detail, hint: 'see to the other host, then begin anew' })
  if (why !== undefined) throw why as Error
  throw new ToolstackError('TOOL_UNPROTECTED', `the backup at ${peer} has given up`, { hint: 'look at the output of xr on the other host, then begin anew' })
}

const because = (why: unknown): string => (why instanceof Error ? `: ${why.message}` : '')

/** Several guests are told of as one. */
function announced(domains: readonly DomainSummary[]): { readonly guest: string; readonly kind: DomainSummary['kind']; readonly memoryBytes: number } {
  const pages = domains.reduce((sum, domain) => sum + domain.pages, 0)
  return { guest: domains.map(({ name }) => name).join(' '), kind: (domains[0] as DomainSummary).kind, memoryBytes: pages * PAGE_SIZE }
}
