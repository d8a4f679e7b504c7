import type { Divergence, GuestPacket } from '@xen-replication/hypervisor'
import type { Sent } from './sent.ts'

/** A packet of the primary that waits. */
export interface Held {
  readonly packet: GuestPacket
  /** When it came, in milliseconds. */
  readonly at: number
  /** Counts all packets of the primary: how they leave when all do. */
  readonly order: number
}

/** What remembering a packet takes besides its bytes. */
const OVERHEAD_BYTES = 256

/** Bytes that a frame takes while it waits. */
export const costOf = (frame: Uint8Array): number => frame.length + OVERHEAD_BYTES

/** One conversation of the guest, as both sides have it. Nothing is released but what the other side has sent, too, and in the order it came. */
export interface Flow<S extends Sent = Sent> {
  /** Nothing waits. */
  readonly idle: boolean
  /** When what has waited longest came; undefined when nothing waits. */
  readonly oldest: number | undefined
  /** Packets of the side that has more of them waiting. */
  readonly longest: number
  /** What all that waits takes, as `costOf()` counts. */
  readonly bytes: number
  primary(sent: S, held: Held): void
  secondary(sent: S, at: number): void
  /** Looks at what has come since, and adds to `released` what may leave. @returns why nothing can, when the two sides differ */
  compare(released: Held[]): Divergence | undefined
  /** Both sides are the same from now on. @returns what waited of the primary */
  checkpoint(): readonly Held[]
}
