import type { DomainSummary, GuestForSave } from '@xen-replication/hypervisor'
import { finish, type Channel } from '@xen-replication/plugin-api'
import { sendStream } from '@xen-replication/session'
import { closeOnAbort } from '../links/close-on-abort.ts'
import { dialPatiently } from '../links/dial-patiently.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import { checkLinkOptions, copyOptions, type LinkOptions } from './link-options.ts'
import { factsOf, findDomain, requireRunning } from './find-domain.ts'
import type { Host } from './host.ts'
import type { Operation } from './operation.ts'
import { OutgoingGuest } from './outgoing-guest.ts'

export interface SaveRequest {
  /** Id, name or UUID. */
  readonly dom: string
  readonly url: string
  /** What becomes of the guest once its image is safe. */
  readonly then: 'destroy' | 'resume' | 'pause'
  /** What is at the other end: `raw`, a file or whatever takes bytes; `xr`, an `xr receive --to FILE` that says when the image is safe. */
  readonly peer?: 'raw' | 'xr' | undefined
  /** Leaves holes of the guest's memory out of the image; Xen's own tools restore it as well, but never write such a one. */
  readonly compact?: boolean | undefined
  /** With `xr` only. */
  readonly link?: LinkOptions | undefined
  /** How long to go on dialling where nobody listens yet, in milliseconds. */
  readonly patienceMs?: number | undefined
}

export interface Saved {
  readonly guest: string
  readonly bytes: number
  /** How long the guest stood until the image was safe, in milliseconds. */
  readonly stoodMs: number
  readonly fate: GuestFate
}

/**
 * Saves a guest as `xl save` does: it stands while its memory is written, once.
 *
 * @throws BackendError, SaveError, StreamError, LinkError, SessionError, PluginError, ToolstackError; the guest runs on then
 */
export async function saveGuest(host: Host, request: SaveRequest, signal: AbortSignal): Promise<Saved> {
  host.links.transport(request.url)
  const domain = await findDomain(host.backend, request.dom)
  requireRunning(domain)
  checkLinkOptions(request.link)
  return host.operations.run({ verb: 'save', ...factsOf(domain), url: request.url }, signal, async (operation) => {
    const channel = await dialPatiently(request.url, { ...host, ...operation, patienceMs: request.patienceMs })
    try {
      return await saveTo(channel, { host, domain, operation, request })
    } finally {
      await channel.close()
    }
  })
}

interface Job {
  readonly host: Host
  readonly domain: DomainSummary
  readonly operation: Operation
  readonly request: SaveRequest
}

async function saveTo(channel: Channel, { host, domain, operation, request }: Job): Promise<Saved> {
  const { backend } = host
  const config = await backend.config(domain.domId)
  const guest = await backend.openForSave(domain.domId)
  const going = new OutgoingGuest(backend, guest, operation, { domain, config, mode: 'stopped', holes: request.compact === true ? 'left-out' : 'as-xen' })
  try {
    await (request.peer === 'xr' ? sendStream(copyOptions({ host, operation, channel, ...request }), (sink, signal) => going.save(sink, signal)) : writeFile(channel, going, operation))
    await become(guest, going, request.then)
    return { guest: domain.name, bytes: going.bytes, stoodMs: going.stoodMs, fate: going.fate }
  } catch (error) {
    await going.resume()
    throw error
  } finally {
    going.tell()
    await guest.close()
  }
}

/** Once this is done the image is safe, and nothing calls the save off any more. */
async function writeFile(channel: Channel, going: OutgoingGuest, { signal }: Operation): Promise<void> {
  const forget = closeOnAbort(channel, signal)
  try {
    await going.save(channel, signal)
    await finish(channel)
  } finally {
    forget()
  }
}

async function become({ lifecycle }: GuestForSave, going: OutgoingGuest, then: SaveRequest['then']): Promise<void> {
  if (then === 'destroy') return going.destroy()
  if (then === 'pause') await lifecycle.pause()
  await lifecycle.resume('cancelled')
  await going.resume()
}
