import type { DomId, GuestKind } from '@xen-replication/hypervisor'
import type { Channel } from '@xen-replication/plugin-api'
import { accepted } from '../links/accepted.ts'
import { closeOnAbort } from '../links/close-on-abort.ts'
import { fromPeer } from '../links/from-peer.ts'
import { leadsToCommand } from '../links/redial.ts'
import type { Host } from './host.ts'
import { IncomingGuest } from './incoming-guest.ts'
import type { Operation } from './operation.ts'

const PIECE = 65_536

export interface RestoreRequest {
  readonly url: string
  /** What the guest does once it is complete. */
  readonly then: 'run' | 'stay-paused'
  /** What it is to be called, instead of what the image says. */
  readonly name?: string | undefined
}

export interface Restored {
  readonly guest: string
  readonly domId: DomId
  readonly kind: GuestKind
  /** Of the image. */
  readonly bytes: number
}

/**
 * Makes a guest of an `xl` file.
 *
 * @throws BackendError, RestoreError, LinkError, PluginError, ToolstackError, FormatError; no guest is left then
 */
export async function restoreGuest(host: Host, request: RestoreRequest, signal: AbortSignal): Promise<Restored> {
  host.links.transport(request.url)
  return host.operations.run({ verb: 'restore', guest: undefined, url: request.url }, signal, (operation) => restoreFrom(host, request, operation))
}

async function restoreFrom({ backend, links }: Host, { url, then, name }: RestoreRequest, operation: Operation): Promise<Restored> {
  const channel = await accepted(links, url, operation.signal)
  const forget = closeOnAbort(channel, operation.signal)
  const guest = new IncomingGuest(backend, operation, { naming: 'at-once', then, name })
  try {
    await guest.build(fromPeer(channel, url), operation.signal)
    if (leadsToCommand(url)) await heardOut(channel)
    forget() // complete: nothing calls it off any more
    await guest.start()
    await channel.end().catch(() => undefined) // who sends learns that the guest is here
    return restored(guest)
  } catch (error) {
    await guest.destroy().catch(() => undefined) // what went wrong first is what matters; the fate of the guest is told
    throw error
  } finally {
    forget()
    await guest.close()
    await channel.close()
  }
}

/** A command such as `gunzip` says in the end whether its bytes were right. @throws LinkError LINK_LOST when they were not */
async function heardOut(channel: Channel): Promise<void> {
  await channel.end().catch(() => undefined) // many do not listen
  while ((await channel.read(PIECE)) !== undefined);
}

/** @param guest that was built */
export function restored({ facts, bytes }: IncomingGuest): Restored {
  const { name, domId, kind } = facts as NonNullable<typeof facts>
  return { guest: name, domId, kind, bytes }
}
