import type { DomainSummary, GuestForSave } from '@xen-replication/hypervisor'
import { finish, type Channel } from '@xen-replication/plugin-api'
import { closeOnAbort, countingSink } from '../links/channel-ends.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import { encodeXlStart } from '../xl/xl-start.ts'
import { findDomain, requireRunning } from './find-domain.ts'
import type { Host } from './host.ts'
import { letGoOn } from './let-go-on.ts'
import type { Operation } from './operation.ts'
import { writeGuest } from './write-guest.ts'

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
  return host.operations.run({ verb: 'save', guest: domain.name, url: request.url }, signal, async (operation) => {
    const config = await host.backend.config(domain.domId)
    const channel = await host.links.dial(request.url, operation.signal)
    try {
      return await saveTo({ channel, config, domain, host, operation, request })
    } finally {
      await channel.close()
    }
  })
}

interface Job {
  readonly channel: Channel
  readonly config: string
  readonly domain: DomainSummary
  readonly host: Host
  readonly operation: Operation
  readonly request: SaveRequest
}

async function saveTo({ channel, config, domain, host, operation, request }: Job): Promise<Saved> {
  const tellFate = (fate: GuestFate): void => operation.emit('guest.fate', { guest: domain.name, side: 'source', fate })
  const guest = await host.backend.openForSave(domain.domId)
  try {
    const { bytes, stoodAt } = await writeFile(channel, config, guest, operation)
    const stoodMs = operation.now() - stoodAt
    const fate = await become(guest, request.then)
    tellFate(fate)
    return { guest: domain.name, bytes, stoodMs, fate }
  } catch (error) {
    tellFate(await letGoOn(guest))
    throw error
  } finally {
    await guest.close()
  }
}

/** An `xl` file. Once this is done it is safe, and nothing calls the save off any more. */
async function writeFile(channel: Channel, config: string, guest: GuestForSave, operation: Operation): Promise<{ readonly bytes: number; readonly stoodAt: number }> {
  const forget = closeOnAbort(channel, operation.signal)
  try {
    const sink = countingSink(channel)
    await sink.write(encodeXlStart(config))
    const { stoodAt } = await writeGuest(guest, sink, operation, { mode: 'stopped' })
    await finish(channel)
    return { bytes: sink.bytes, stoodAt }
  } finally {
    forget()
  }
}

async function become({ lifecycle }: GuestForSave, then: SaveRequest['then']): Promise<GuestFate> {
  if (then === 'destroy') {
    await lifecycle.destroy()
    return 'gone'
  }
  if (then === 'pause') await lifecycle.pause()
  await lifecycle.resume('cancelled')
  return then === 'pause' ? 'paused' : 'runs'
}
