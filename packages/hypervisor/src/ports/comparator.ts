import type { AbortSignalLike } from './clock.ts'

/** A packet that a guest has sent. */
export interface GuestPacket {
  /** The network card that it came from: cards of both sides have the same names. */
  readonly card: string
  /** The whole Ethernet frame, without preamble and check sequence. Whoever is given it may keep it; nobody changes it. */
  readonly bytes: Uint8Array
  /**
   * Which conversation it is part of, where whoever took it knows: packets of one flow are compared in their order, those of different flows by
   * themselves. Undefined: the comparator finds it in the frame.
   */
  readonly flow?: string | undefined
}

/** Why a checkpoint is wanted. */
export type Divergence =
  | 'differs' // the two sides have sent different things
  | 'late' // one side has sent something that the other has not sent in time
  | 'full' // more waits to be compared than may wait

/** What follows from a packet, or from time that has passed. */
export interface Comparison {
  /** Packets of the primary that may leave now, oldest first of each flow: the secondary has sent the same. */
  readonly release: readonly GuestPacket[]
  /** Set once the sides have diverged; stays set, and nothing more is released, until `checkpoint()`. */
  readonly diverged: Divergence | undefined
}

/**
 * Compares what the two sides of a lock-stepped guest send. Nothing of the primary leaves before the secondary has sent the same, or a checkpoint
 * covers it; what the secondary sends never leaves. Does nothing by itself: packets and time come from outside, what may leave is handed back.
 *
 * Times are milliseconds of a clock that only grows. Never throws for what a packet holds.
 */
export interface Comparator {
  /** The primary's guest has sent a packet. */
  primary(packet: GuestPacket, now: number): Comparison
  /** The secondary's guest has sent one since the last checkpoint; those of before must not be handed in. */
  secondary(packet: GuestPacket, now: number): Comparison
  /** Looks at what has waited too long. */
  look(now: number): Comparison
  /** When `look()` is of use next; undefined while nothing waits. */
  readonly due: number | undefined
  /** Packets of the primary that wait. */
  readonly waiting: number
  /**
   * Both sides are the same from now on, and the secondary holds all that led to what the primary has sent: what waits of the primary may leave and is
   * handed back, what waits of the secondary is forgotten, and comparing begins anew.
   */
  checkpoint(): readonly GuestPacket[]
  /**
   * There is nothing to compare with any more, and this side is the one that lives: what waits of the primary is handed back, and packets of the primary
   * are released at once from now on; what comes of the secondary is forgotten.
   */
  failover(): readonly GuestPacket[]
}

/**
 * The network cards of a guest, seen from outside: packets are taken before they leave. Taken packets leave only by `send()`.
 */
export interface PacketTap {
  /** Begins to take packets. May be called twice. */
  open(): Promise<void>
  /**
   * Packets that were taken since the last call, oldest first; waits until there are some.
   *
   * @throws the reason of `signal`
   */
  taken(signal: AbortSignalLike): Promise<readonly GuestPacket[]>
  /** Those that were taken since the last call, without waiting. The guest may stand. */
  rest(): Promise<readonly GuestPacket[]>
  /** Lets packets leave, in their order. */
  send(packets: readonly GuestPacket[]): Promise<void>
  /** Ends the taking. `release`: packets that were taken and not asked for leave; `drop`: they never do. May be called twice. */
  close(held: 'release' | 'drop'): Promise<void>
}

/** Compares output elsewhere, as colo-compare of a QEMU does: packets never come here. */
export interface RemoteComparator {
  /** Waits until a checkpoint is wanted. @throws the reason of `signal`; what the connection fails with */
  diverged(signal: AbortSignalLike): Promise<Divergence>
  /** As `Comparator.checkpoint()`: what waits there leaves. */
  checkpoint(): Promise<void>
  /** May be called twice. Never throws. */
  close(): Promise<void>
}
