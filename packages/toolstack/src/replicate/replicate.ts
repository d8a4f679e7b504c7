import { openRemoteComparer } from '@xen-replication/colo-proxy'
import { isXrError } from '@xen-replication/errors'
import { BackendError, type DomainSummary, type RemoteComparator } from '@xen-replication/hypervisor'
import { optionValues, ReplError, type OptionValues, type Strategy } from '@xen-replication/plugin-api'
import { EpochSender, LockstepSender, openSender, XlColoSender, XlEpochSender, type CompressionChoice, type Session } from '@xen-replication/session'
import { tellSession } from '../observe/session-events.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import { factsOf, findDomain, requireRunning } from '../operations/find-domain.ts'
import type { Host } from '../operations/host.ts'
import type { Operation } from '../operations/operation.ts'
import { openArbiter, requireXlAble, type ArbiterChoice, type ChosenArbiter } from './arbiter-choice.ts'
import { ARBITRATIONS } from './arbitration.ts'
import { blackholeLink } from './blackhole.ts'
import { keepProtected, type KeptResult } from './keep-protected.ts'
import { isLockstep } from './lockstep-role.ts'
import type { LockstepLink } from './open-output.ts'
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
  const { backend, collected, operations, links } = host
  const strategy = collected.need('strategy', request.strategy).what
  const options = optionValues(strategy.options, request.options)
  if (request.url !== undefined) links.transport(request.url)
  if (request.peer === 'xl') {
    requireXlAble(request)
    requireComparedThere(strategy, options)
  }
  const domains = await Promise.all(request.doms.map((dom) => findDomain(backend, dom)))
  for (const domain of domains) {
    requireRunning(domain)
    requireAble(host, strategy, domain, options)
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
  const kept = url === undefined ? await keep(job, blackholeLink()) : await (job.request.peer === 'xl' ? overXl : overSession)(job, url)
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
    await link.begin({ guest: bytesOfUuid((domains[0] as DomainSummary).uuid), token: 0n, heartbeatMs, silenceMs, members: domains.length, arbiter: ARBITRATIONS.indexOf(chosen.kind) })
    operation.emit('link.up', { url })
    const kept = await keep(job, link, lockstep)
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
    return await keep(job, link, lockstep)
  } finally {
    await channel.close()
  }
}

/** A secondary's guest has 60 s to suspend, as with libxl. */
const XL_COLO_TIMES = { answerMs: 75_000 } as const

/** The peer knows of our times only once it has heard of them. */
const GREETING_SILENCE_MS = 10_000

function keep({ host, request, options, strategy, domains, chosen, operation }: Job, link: PrimaryLink & { readonly id: string }, lockstep?: LockstepLink): Promise<KeptResult> {
  const compareAt = async (url: string): Promise<RemoteComparator> => openRemoteComparer(await host.links.dial(url, operation.signal), { clock: host.clock })
  return keepProtected({ lockstep, compareAt, host, role: strategy.primary, options, domains, chosen, operation, link, peer: request.url })
}

/** libxl's wire has no packets in it. @throws ReplError REPL_OPTION */
function requireComparedThere({ primary }: Strategy, options: OptionValues): void {
  if (!isLockstep(primary) || options['no-compare'] === true || options['proxy'] !== '') return
  throw new ReplError('REPL_OPTION', 'a peer that speaks as xl does shows nothing of what its guest sends', { hint: 'compare nothing, or let a QEMU do it' })
}

/** What cannot work is told before a guest is touched. @throws BackendError BACKEND_UNSUPPORTED; ReplError REPL_OPTION */
function requireAble({ backend }: Host, strategy: Strategy, { name, kind }: DomainSummary, options: OptionValues): void {
  const lacking = strategy.needs({ kind, options }).find((capability) => !backend.capabilities.has(capability))
  if (lacking === undefined) return
  throw new BackendError('BACKEND_UNSUPPORTED', `the backend '${backend.name}' lacks ${lacking}, which protecting ${name} needs`, { hint: hints[lacking] })
}

const hints: Readonly<Record<string, string>> = {
  'network-buffer': 'without holding back network output: -n -F',
  'disk-epochs': 'without holding back disk writes: -d -F',
}
