import type { DomainSummary, GuestForSave } from '@xen-replication/hypervisor'
import { finish, type Channel } from '@xen-replication/plugin-api'
import { closeOnAbort } from '../links/close-on-abort.ts'
import type { GuestFate } from '../observe/tool-events.ts'
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
 * @throws BackendError, SaveError, StreamError, LinkError, PluginError, ToolstackError; the guest runs on then
 */
export async function saveGuest(host: Host, request: SaveRequest, signal: AbortSignal): Promise<Saved> {
  host.links.transport(request.url)
  const domain = await findDomain(host.backend, request.dom)
  requireRunning(domain)
  return host.operations.run({ verb: 'save', ...factsOf(domain), url: request.url }, signal, async (operation) => {
    const channel = await host.links.dial(request.url, operation.signal)
    try {
      return await saveTo(channel, { host, domain, operation, then: request.then })
    } finally {
      await channel.close()
    }
  })
}

interface Job {
  readonly host: Host
  readonly domain: DomainSummary
  readonly operation: Operation
  readonly then: SaveRequest['then']
}

async function saveTo(channel: Channel, { host: { backend }, domain, operation, then }: Job): Promise<Saved> {
  const config = await backend.config(domain.domId)
  const guest = await backend.openForSave(domain.domId)
  const going = new OutgoingGuest(backend, guest, operation, { domain, config, mode: 'stopped' })
  try {
    await writeFile(channel, going, operation)
    await become(guest, going, then)
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
