import type { Channel, Listener } from '@xen-replication/plugin-api'
import { openReceiver, receiveFromXl, receiveGuest as receiveOver, type ReceiveResult } from '@xen-replication/session'
import { closeOnAbort } from '../links/close-on-abort.ts'
import { leadsBack } from '../links/redial.ts'
import { tellSession } from '../observe/session-events.ts'
import { ToolstackError } from '../toolstack-error.ts'
import type { Host } from './host.ts'
import { IncomingGuest } from './incoming-guest.ts'
import type { Operation } from './operation.ts'
import { restored, type Restored } from './restore.ts'

export interface ReceiveRequest {
  readonly url: string
  /** Who sends: `xr migrate`, or `xl migrate`. */
  readonly peer: 'xr' | 'xl'
  /** What the guest does once it is here. */
  readonly then: 'run' | 'stay-paused'
  /** What it is to be called here, instead of what the sender says. */
  readonly name?: string | undefined
  /** Between two xr: how long to wait for a link that was lost, in milliseconds. */
  readonly waitMs?: number | undefined
}

export interface Received extends Restored {
  /** The sender may not know that its guest is here: why. */
  readonly doubt: Error | undefined
}

/**
 * Takes one guest from another host.
 *
 * @throws BackendError, RestoreError, LinkError, SessionError, PluginError, ToolstackError, FormatError; nothing of the guest is left here then, or what
 *   is left does not run
 */
export async function receiveGuest(host: Host, request: ReceiveRequest, signal: AbortSignal): Promise<Received> {
  const { url, peer } = request
  host.links.transport(url)
  return host.operations.run({ verb: 'receive', guest: undefined, url }, signal, async (operation) => {
    const listener = await host.links.listen(url, operation.signal)
    try {
      const channel = await listener.accept(operation.signal)
      return await (peer === 'xl' ? fromXl : fromXr)({ host, request, operation, listener, channel })
    } finally {
      await listener.close()
    }
  })
}

interface Job {
  readonly host: Host
  readonly request: ReceiveRequest
  readonly operation: Operation
  readonly listener: Listener
  readonly channel: Channel
}

async function fromXr(job: Job): Promise<Received> {
  const { host, request, operation, listener, channel } = job
  const { url, waitMs } = request
  const session = await openReceiver({
    channel,
    clock: host.clock,
    purpose: 'migrate',
    limits: waitMs === undefined ? {} : { resumeWaitMs: waitMs },
    ...(leadsBack(url) ? { again: (signal) => listener.accept(signal) } : {}),
    observe: tellSession(operation.emit, url),
    signal: operation.signal,
  })
  operation.emit('link.up', { url })
  return take(job, 'beside-its-copy', (guest) => receiveOver(session, guest, operation.signal))
}

async function fromXl(job: Job): Promise<Received> {
  const { host, operation, listener, channel } = job
  await listener.close() // xl comes once
  const forget = closeOnAbort(channel, operation.signal)
  try {
    return await take(job, 'in-the-end', (guest) => receiveFromXl(channel, guest, operation.signal, { clock: host.clock }), forget)
  } finally {
    forget()
    await channel.close()
  }
}

async function take({ host, request, operation }: Job, naming: 'beside-its-copy' | 'in-the-end', receive: (guest: IncomingGuest) => Promise<ReceiveResult>, onHandOver?: () => void): Promise<Received> {
  const guest = new IncomingGuest(host.backend, operation, { naming, then: request.then, name: request.name, onHandOver })
  try {
    const { end, why, trouble } = await receive(guest)
    if (end === 'stuck') throw leftOver(guest, trouble, why)
    if (end !== 'running') throw why
    return { ...restored(guest), doubt: why instanceof Error ? why : undefined }
  } finally {
    await guest.close()
  }
}

function leftOver({ facts }: IncomingGuest, trouble: unknown, why: unknown): ToolstackError {
  const [first, last] = [why, trouble].map((one) => (one instanceof Error ? one.message : String(one)))
  return new ToolstackError('TOOL_LEFT_OVER', `${first ?? ''}; what was built of ${facts?.name ?? 'the guest'} could not be destroyed: ${last ?? ''}`, { cause: why, hint: '`xr destroy` it; never let it run' })
}
