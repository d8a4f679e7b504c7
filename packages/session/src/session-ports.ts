import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'
import type { Place } from './hello/go-on.ts'
import type { SessionObserver } from './session-event.ts'
import type { SessionLimits } from './session-options.ts'
import type { Wire } from './wire/wire.ts'

/** Makes a new link and greets on it. @returns undefined when that cannot be done in time. @throws when there is no use in trying again; the reason of `signal` */
export type GoOn = (place: Place, signal: AbortSignalLike) => Promise<{ readonly wire: Wire; readonly next: number } | undefined>

export interface SessionPorts {
  readonly clock: Clock
  readonly limits: SessionLimits
  /** Absent: a lost link is the end. */
  readonly goOn: GoOn | undefined
  readonly observe: SessionObserver
  /** Acknowledge what the application has made safe, not what was received: for a receiver that may be started anew. */
  readonly acknowledge: 'received' | 'made-safe'
}

/** Where a session is that was begun by another process. */
export interface Start {
  /** Last ordered frame that was sent, and that was received. */
  readonly sent: number
  readonly received: number
  /** Bytes of the stream before. */
  readonly offset: number
}
