import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Channel, Listener } from '@xen-replication/plugin-api'
import { compressionOffer, nodeCompressors, type CompressionChoice, type CopyOptions, type SessionLimits } from '@xen-replication/session'
import { leadsBack } from '../links/redial.ts'
import { tellSession } from '../observe/session-events.ts'
import type { Host } from './host.ts'
import type { Operation } from './operation.ts'

/** How a link between two xr is used. */
export interface LinkOptions {
  readonly compression?: CompressionChoice | undefined
  /** Bytes a second, 0 for as many as go. */
  readonly bandwidth?: number | undefined
  /** How long to wait for a link that was lost, in milliseconds. */
  readonly waitMs?: number | undefined
}

export interface CopyJob {
  readonly host: Host
  readonly operation: Operation
  readonly channel: Channel
  /** Where further channels come from; absent: they are dialled. */
  readonly listener?: Listener | undefined
  readonly url: string
  readonly link?: LinkOptions | undefined
}

/** What is asked for has to be there before anybody is called. @throws SessionError SESSION_COMPRESSION */
export function checkLinkOptions({ compression = 'auto' }: LinkOptions = {}): void {
  compressionOffer(compression, nodeCompressors())
}

/** Limits of a session as the user wants them. */
export const limitsOf = ({ bandwidth, waitMs }: LinkOptions): Partial<SessionLimits> => ({
  ...(bandwidth === undefined ? {} : { bandwidthBytes: bandwidth }),
  ...(waitMs === undefined ? {} : { resumeWaitMs: waitMs }),
})

/** The session of a copy: over another link when one is lost, where the URL leads to the same peer again. */
export function copyOptions({ host, operation, channel, listener, url, link = {} }: CopyJob): CopyOptions {
  const next = (signal: AbortSignalLike): Promise<Channel> => listener?.accept(signal) ?? host.links.dial(url, signal)
  return {
    channel,
    clock: host.clock,
    limits: limitsOf(link),
    ...(link.compression === undefined ? {} : { compression: link.compression }),
    ...(leadsBack(url) ? { again: next } : {}),
    observe: tellSession(operation.emit, url),
    signal: operation.signal,
  }
}
