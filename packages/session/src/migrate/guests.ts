import type { ByteSink, ByteSource } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/plugin-api'

/** The guest at the sender. */
export interface SourceGuest {
  /** Bytes that its stream has at least, where that is known: the share of them that may be under way is as large from the start. */
  readonly leastBytes?: number
  /**
   * Writes all of the guest. When it comes back the guest is suspended. It may have been at any point when it fails; `resume` follows then.
   *
   * @param signal aborts when the operator gives up or the link is gone for good, with why.
   */
  save(sink: ByteSink, signal: AbortSignalLike): Promise<void>
  /** Lets the guest go on here; nothing happens when it runs. */
  resume(): Promise<void>
  destroy(): Promise<void>
}

/** The guest at the receiver. */
export interface TargetGuest {
  /** Reads all of it. When it comes back the guest is complete and stands still. */
  build(source: ByteSource, signal: AbortSignalLike): Promise<void>
  /** Lets it run. When that fails it does not run. */
  start(): Promise<void>
  /** Destroys whatever there is of it; nothing happens when there is nothing. */
  destroy(): Promise<void>
}
