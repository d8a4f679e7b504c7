import { openRemoteComparer } from '@xen-replication/colo-proxy'
import { isXrError } from '@xen-replication/errors'
import { BackendError, type CheckpointDevice, type DomainSummary, type RemoteComparator } from '@xen-replication/hypervisor'
import { optionValues, ReplError, type OptionValues, type Strategy } from '@xen-replication/plugin-api'
import { EpochSender, LockstepSender, openSender, restoresWithoutHoles, XlColoSender, XlEpochSender, type CompressionChoice, type Session } from '@xen-replication/session'
import { tellSession } from '../observe/session-events.ts'
import type { GuestFate, ProtectionNote } from '../observe/tool-events.ts'
import { factsOf, requireRunning } from '../operations/find-domain.ts'
import type { Host } from '../operations/host.ts'
import type { Operation } from '../operations/operation.ts'
import { requireSettled } from '../operations/require-settled.ts'
import { latestToken, openArbiter, requireXlAble, type ArbiterChoice, type ChosenArbiter } from './arbiter-choice.ts'
import { ARBITRATIONS } from './arbitration.ts'
import { blackholeLink } from './blackhole.ts'
import { keepProtected, type KeepRequest, type KeptResult } from './keep-protected.ts'
import { isLockstep } from './lockstep-role.ts'
import type { PrimaryLink } from './primary.ts'
import { times, type ReplicationTimes } from './times.ts'
import { bytesOfUuid } from './uuid.ts'

export interface ReplicateRequest extends ArbiterChoice, ReplicationTimes {
  /** Name of the strategy; `receive` at the other end learns it from here. */
  readonly strategy: string
  /** As parsed; what is left out has its default. */
  readonly options: OptionValues
  /** Id, name or UUID; several share their epochs. */
  readonly doms: readonly string[]
  /** What is at the other end: `xr receive`, or `xl migrate-receive -r`, which acknowledges nothing and takes over by itself. */
  readonly peer?: 'xr' | 'xl' | undefined
  /** What a peer that speaks libxl's COLO does that is not specified. */
  readonly quirk?: 'c64-surplus' | undefined
  /** Undefined where nobody receives. */
  readonly url: string | undefined
  /** What the user typed; for those who look on. */
  readonly verb: string
  readonly compression?: CompressionChoice | undefined
  /** Devices of a guest beside those that the backend has. */
  readonly moreDevices?: KeepRequest['moreDevices']
}

export interface Replicated {
  readonly guests: readonly string[]
  /** `handed-over`: they run at the peer. `stopped`: they run on here. */
  readonly outcome: 'handed-over' | 'stopped'
  /** Epochs that the backup acknowledged. */
  readonly epochs: number
  readonly fate: GuestFate
}

/**
 * Protects guests until that is called off, or the peer is lost.
 *
 * @throws ReplError REPL_OPTION; BackendError, SaveError, LinkError, SessionError, PluginError; ToolstackError TOOL_UNPROTECTED when they run on without
 *   a backup, TOOL_DENIED when they do not run here any more, TOOL_INTERRUPTED
 */
export async function replicateGuests(host: Host, request: ReplicateRequest, signal: AbortSignal): Promise<Replicated> {
  const { collected, operations, links } = host
  const strategy = collected.need('strategy', request.strategy).what
  const options = optionValues(strategy.options, request.options)
  if (request.url !== undefined) links.transport(request.url)
  if (request.peer === 'xl') {
    requireXlAble(request)
    requireComparedThere(strategy, options)
  }
  const domains = await requireSettled(host, request.doms, signal)
  for (const domain of domains) {
    requireRunning(domain)
    requireAble(host, strategy, domain, options, request.moreDevices?.(domain) ?? [])
  }
  const first = domains[0] as DomainSummary
  const chosen = await openArbiter(collected, request, signal)
  try {
    const facts = { ...factsOf(first), guest: domains.map(({ name }) => name).join(' ') }
    return await operations.run({ verb: request.verb, ...facts, url: request.url }, signal, (operation) => replicate({ host, request, options, strategy, domains, chosen, operation }))
  } finally {
    await chosen.arbiter?.close()
  }
}

interface Job {
  readonly host: Host
  readonly request: ReplicateRequest
  readonly options: OptionValues
  readonly strategy: Strategy
  readonly domains: readonly DomainSummary[]
  readonly chosen: ChosenArbiter
  readonly operation: Operation
}

async function replicate(job: Job): Promise<Replicated> {
  const { request: { url, strategy }, options, chosen, operation } = job
  const { heartbeatMs, silenceMs } = times(job.request)
  operation.emit('replication.begin', { strategy, options, heartbeatMs, silenceMs, arbitration: chosen.kind })
  const kept = url === undefined ? await keep(job, blackholeLink(), { holes: 'left-out' }) : await (job.request.peer === 'xl' ? overXl : overSession)(job, url)
  return { ...kept, guests: job.domains.map(({ name }) => name) }
}

async function overSession(job: Job, url: string): Promise<KeptResult> {
  const { host, request, operation, domains, chosen } = job
  const { heartbeatMs, silenceMs, stalledMs } = times(request)
  const channel = await host.links.dial(url, operation.signal)
  let session: Session | undefined
  try {
    session = await openSender({
      channel,
      clock: host.clock,
      purpose: request.strategy,
      limits: { heartbeatMs, silenceMs: Math.max(GREETING_SILENCE_MS, silenceMs) },
      must: ['replication'],
      ...(request.compression === undefined ? {} : { compression: request.compression }),
      observe: tellSession(operation.emit, url),
      signal: operation.signal,
    })
    const lockstep = isLockstep(job.strategy.primary) ? new LockstepSender(session, stalledMs) : undefined
    const link = lockstep ?? new EpochSender(session, stalledMs)
    const { uuid } = domains[0] as DomainSummary
    const token = await latestToken(chosen, uuid, operation.signal)
    await link.begin({ guest: bytesOfUuid(uuid), token: token ?? 0n, heartbeatMs, silenceMs, members: domains.length, arbiter: ARBITRATIONS.indexOf(chosen.kind) })
    operation.emit('link.up', { url })
    operation.emit('replication.paired', { ...noteOf(job), session: link.id, token: token?.toString() })
    const kept = await keep(job, link, { holes: restoresWithoutHoles(session.agreement) ? 'left-out' : 'as-xen', lockstep, token, silenceMs })
    await session.end()
    return kept
  } catch (error) {
    await session?.abort('abort', { code: isXrError(error) ? error.code : 'UNKNOWN', message: error instanceof Error ? error.message : String(error) })
    throw error
  } finally {
    await channel.close()
  }
}

async function overXl(job: Job, url: string): Promise<KeptResult> {
  const { host, operation } = job
  const channel = await host.links.dial(url, operation.signal)
  try {
    const lockstep = isLockstep(job.strategy.primary) ? new XlColoSender(channel, host.clock, { quirk: job.request.quirk }, XL_COLO_TIMES) : undefined
    const link = lockstep ?? new XlEpochSender(channel, host.clock)
    await link.begin(operation.signal)
    operation.emit('link.up', { url })
    return await keep(job, link, { holes: 'as-xen', lockstep })
  } finally {
    await channel.close()
  }
}

/** A secondary's guest has 60 s to suspend, as with libxl. */
const XL_COLO_TIMES = { answerMs: 75_000 } as const

/** For whoever has to decide over the guests when this process is gone. */
function noteOf({ request: { verb, arbiter, unsafe = false }, domains }: Job): Omit<ProtectionNote, 'session' | 'token'> {
  return { verb, guests: domains.map(({ name, domId, uuid }) => ({ name, domId, uuid })), arbiter, unsafe }
}

/** The peer knows of our times only once it has heard of them. */
const GREETING_SILENCE_MS = 10_000

function keep({ host, request, options, strategy, domains, chosen, operation }: Job, link: PrimaryLink & { readonly id: string }, agreed: Pick<KeepRequest, 'holes' | 'lockstep' | 'token' | 'silenceMs'>): Promise<KeptResult> {
  const compareAt = async (url: string): Promise<RemoteComparator> => openRemoteComparer(await host.links.dial(url, operation.signal), { clock: host.clock })
  return keepProtected({ compareAt, host, role: strategy.primary, options, domains, chosen, operation, link, peer: request.url, moreDevices: request.moreDevices, ...agreed })
}

/** libxl's wire has no packets in it. @throws ReplError REPL_OPTION */
function requireComparedThere({ primary }: Strategy, options: OptionValues): void {
  if (!isLockstep(primary) || options['no-compare'] === true || options['proxy'] !== '') return
  throw new ReplError('REPL_OPTION', 'a peer that speaks as xl does shows nothing of what its guest sends', { hint: 'compare nothing, or let a QEMU do it' })
}

/** What cannot work is told before a guest is touched. @throws BackendError BACKEND_UNSUPPORTED; ReplError REPL_OPTION */
function requireAble({ backend }: Host, strategy: Strategy, { name, kind }: DomainSummary, options: OptionValues, more: readonly CheckpointDevice[]): void {
  const brought = (capability: string): boolean => more.some((device) => bringing[device.kind] === capability)
  const lacking = strategy.needs({ kind, options }).find((capability) => !backend.capabilities.has(capability) && !brought(capability))
  if (lacking === undefined) return
  throw new BackendError('BACKEND_UNSUPPORTED', `the backend '${backend.name}' lacks ${lacking}, which protecting ${name} needs`, { hint: hints[lacking] })
}

/** What a device does for a guest, as strategies need it. */
const bringing: Readonly<Record<CheckpointDevice['kind'], string | undefined>> = { network: 'network-buffer', disk: 'disk-epochs', guest: undefined }

const hints: Readonly<Record<string, string>> = {
  'network-buffer': 'without holding back network output: -n -F',
  'disk-epochs': 'without holding back disk writes: -d -F',
}
