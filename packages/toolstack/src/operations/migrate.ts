import { isXrError } from '@xen-replication/errors'
import { BackendError, type Capability, type DomainSummary, type HypervisorBackend } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'
import { openSender, restoresWithoutHoles, sendGuest, sendToXl } from '@xen-replication/session'
import { closeOnAbort } from '../links/close-on-abort.ts'
import { dialPatiently } from '../links/dial-patiently.ts'
import { leadsBack } from '../links/redial.ts'
import { tellSession } from '../observe/session-events.ts'
import { ToolstackError } from '../toolstack-error.ts'
import { checkLinkOptions, limitsOf, type LinkOptions } from './link-options.ts'
import { factsOf, findDomain, requireRunning } from './find-domain.ts'
import type { Host } from './host.ts'
import type { Operation } from './operation.ts'
import { OutgoingGuest, type OutgoingOptions } from './outgoing-guest.ts'

export interface MigrateRequest {
  /** Id, name or UUID. */
  readonly dom: string
  readonly url: string
  /** What is at the other end: `xr receive`, or `xl migrate-receive`. */
  readonly peer: 'xr' | 'xl'
  readonly mode: 'live' | 'stopped'
  /** Sends all memory twice, for the other side to compare. Live only. */
  readonly verify?: boolean | undefined
  /** Between two xr. */
  readonly link?: LinkOptions | undefined
  /** How long to go on dialling where nobody listens yet, in milliseconds. */
  readonly patienceMs?: number | undefined
}

export interface Migrated {
  readonly guest: string
  /** Of the stream, before compression. */
  readonly bytes: number
  /** How long it stood, in milliseconds, as far as this side can tell. */
  readonly stoodMs: number
}

/** How both ways of moving a guest end. */
interface Ended {
  readonly end: 'moved' | 'kept' | 'untouched' | 'undecided'
  readonly why: unknown
  readonly trouble: unknown
}

interface Job {
  readonly host: Host
  readonly request: MigrateRequest
  readonly domain: DomainSummary
  readonly operation: Operation
  readonly channel: Channel
}

/**
 * Moves a guest to another host. It runs on one of them afterwards; when nobody can know on which, it stands still here.
 *
 * @throws BackendError, SaveError, StreamError, LinkError, SessionError (SESSION_COMPRESSION before anybody is called), PluginError, ToolstackError; the guest runs on here then, unless the
 *   error is SESSION_UNDECIDED or TOOL_LEFT_OVER
 */
export async function migrateGuest(host: Host, request: MigrateRequest, signal: AbortSignal): Promise<Migrated> {
  const { url, peer } = request
  host.links.transport(url)
  const domain = await findDomain(host.backend, request.dom)
  requireRunning(domain)
  requireAble(host.backend, domain, request)
  checkLinkOptions(request.link)
  return host.operations.run({ verb: 'migrate', ...factsOf(domain), url }, signal, async (operation) => {
    const channel = await dialPatiently(url, { ...host, ...operation, patienceMs: request.patienceMs })
    try {
      return await (peer === 'xl' ? toXl : toXr)({ host, request, domain, operation, channel })
    } finally {
      await channel.close()
    }
  })
}

async function toXr(job: Job): Promise<Migrated> {
  const { host, request, operation, channel } = job
  const { url, link = {} } = request
  const session = await openSender({
    channel,
    clock: host.clock,
    purpose: 'migrate',
    limits: limitsOf(link),
    ...(link.compression === undefined ? {} : { compression: link.compression }),
    ...(leadsBack(url) ? { again: (signal) => host.links.dial(url, signal) } : {}),
    observe: tellSession(operation.emit, url),
    signal: operation.signal,
  })
  operation.emit('link.up', { url })
  let begun = false
  try {
    const holes = restoresWithoutHoles(session.agreement) ? 'left-out' : 'as-xen'
    return await move(job, { holes }, (going) => {
      begun = true
      return sendGuest(session, going, operation.signal)
    })
  } catch (error) {
    if (!begun) await session.abort('abort', { code: isXrError(error) ? error.code : 'UNKNOWN', message: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

async function toXl(job: Job): Promise<Migrated> {
  const { host, operation, channel } = job
  const forget = closeOnAbort(channel, operation.signal)
  try {
    return await move(job, { holes: 'as-xen', onHandOver: forget }, (going) => sendToXl(channel, going, operation.signal, { clock: host.clock }))
  } finally {
    forget()
  }
}

async function move({ host: { backend }, request, domain, operation }: Job, way: Pick<OutgoingOptions, 'holes' | 'onHandOver'>, send: (going: OutgoingGuest) => Promise<Ended>): Promise<Migrated> {
  const { mode, verify } = request
  const config = await backend.config(domain.domId)
  const guest = await backend.openForSave(domain.domId)
  const going = new OutgoingGuest(backend, guest, operation, { domain, config, mode, verify, ...way })
  try {
    const { end, why, trouble } = await send(going)
    if (end === 'untouched') await going.resume()
    if (end !== 'moved') throw why
    if (trouble !== undefined) throw leftOver(domain, trouble)
    return { guest: domain.name, bytes: going.bytes, stoodMs: going.stoodMs }
  } finally {
    going.tell()
    await guest.close()
  }
}

function leftOver({ name }: DomainSummary, cause: unknown): ToolstackError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ToolstackError('TOOL_LEFT_OVER', `${name} runs on the other host, but its old copy here could not be destroyed: ${why}`, { cause, hint: '`xr destroy` it; never let it run' })
}

/** What cannot work is told before the guest is touched. @throws BackendError BACKEND_UNSUPPORTED */
function requireAble({ name, capabilities }: HypervisorBackend, { kind }: DomainSummary, { mode }: MigrateRequest): void {
  const needs: readonly Capability[] = [...(mode === 'live' ? [kind === 'pv' ? 'log-dirty-pv' as const : 'log-dirty-hvm' as const] : []), ...(kind === 'hvm' ? ['device-model' as const] : [])]
  const lacking = needs.find((capability) => !capabilities.has(capability))
  if (lacking === undefined) return
  throw new BackendError('BACKEND_UNSUPPORTED', `the backend '${name}' lacks ${lacking}, which moving a ${kind} guest ${mode === 'live' ? 'while it runs ' : ''}needs`, { hint: mode === 'live' ? 'a guest that stands needs less: --stopped' : undefined })
}
