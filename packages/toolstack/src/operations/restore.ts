import type { ByteReader } from '@xen-replication/format'
import type { DomId, GuestForRestore } from '@xen-replication/hypervisor'
import { openStreamRestorer, readStream } from '@xen-replication/libxl-stream'
import type { Channel } from '@xen-replication/plugin-api'
import { closeOnAbort, readerOver } from '../links/channel-ends.ts'
import { tellRestore } from '../observe/engine-events.ts'
import { readXlStart, type XlStart } from '../xl/xl-start.ts'
import type { Host } from './host.ts'
import type { Operation } from './operation.ts'

export interface RestoreRequest {
  readonly url: string
  /** What the guest does once it is complete. */
  readonly then: 'run' | 'stay-paused'
}

export interface Restored {
  readonly guest: string
  readonly domId: DomId
  readonly kind: XlStart['kind']
  readonly bytes: number
}

/**
 * Makes a guest of an `xl` file.
 *
 * @throws BackendError, RestoreError, LinkError, PluginError, ToolstackError, FormatError; no guest is left then
 */
export async function restoreGuest(host: Host, { url, then }: RestoreRequest, signal: AbortSignal): Promise<Restored> {
  host.links.transport(url)
  return host.operations.run({ verb: 'restore', guest: undefined, url }, signal, async (operation) => {
    const channel = await accepted(host, url, operation)
    const forget = closeOnAbort(channel, operation.signal)
    try {
      const reader = readerOver(channel)
      const start = await readXlStart(reader)
      const domId = await build(host, start, reader, operation, then)
      return { guest: start.name, domId, kind: start.kind, bytes: reader.offset }
    } finally {
      forget()
      await channel.close()
    }
  })
}

async function accepted({ links }: Host, url: string, { signal }: Operation): Promise<Channel> {
  const listener = await links.listen(url, signal)
  try {
    return await listener.accept(signal)
  } finally {
    await listener.close()
  }
}

async function build({ backend }: Host, { config, name, kind }: XlStart, reader: ByteReader, operation: Operation, then: RestoreRequest['then']): Promise<DomId> {
  const guest = await backend.openForRestore({ kind, name, config })
  const { domId } = guest.facts
  try {
    await fill(guest, reader, operation)
    if (then === 'run') await guest.lifecycle.unpause()
    operation.emit('guest.fate', { guest: name, side: 'target', fate: then === 'run' ? 'runs' : 'paused' })
    return domId
  } catch (error) {
    await guest.lifecycle.destroy().catch(() => undefined) // also one that was complete and could not be started
    operation.emit('guest.fate', { guest: name, side: 'target', fate: 'gone' })
    throw error
  } finally {
    await guest.close()
  }
}

/** Reads the stream to its end. @throws what ended it too early */
export async function fill(guest: GuestForRestore, reader: ByteReader, { emit, signal }: Operation): Promise<void> {
  const stop = await readStream(openStreamRestorer(reader, guest, { streamType: 'plain', signal, observe: tellRestore(emit) }))
  if (stop.why !== 'end') throw stop.error
}
