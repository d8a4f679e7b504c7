import { packetComparer, type ComparerOptions, type PacketComparer } from '@xen-replication/comparer'
import type { Comparison, GuestPacket } from '@xen-replication/hypervisor'
import { packet } from './frames.ts'

/** A comparer whose released packets can be asked for by what they are. */
export interface Pair {
  readonly comparer: PacketComparer
  /** Frames that have left, in their order. */
  readonly left: Uint8Array[]
  diverged: Comparison['diverged']
  primary(frame: Uint8Array, now?: number): Pair
  secondary(frame: Uint8Array, now?: number): Pair
  look(now: number): Pair
  checkpoint(): Pair
}

export function pair(options: ComparerOptions = {}): Pair {
  const comparer = packetComparer(options)
  const leave = (packets: readonly GuestPacket[]): void => void made.left.push(...packets.map(({ bytes }) => bytes))
  const take = ({ release, diverged }: Comparison): Pair => {
    leave(release)
    made.diverged = diverged
    return made
  }
  const made: Pair = {
    comparer,
    left: [],
    diverged: undefined,
    primary: (frame, now = 0) => take(comparer.primary(packet(frame), now)),
    secondary: (frame, now = 0) => take(comparer.secondary(packet(frame), now)),
    look: (now) => take(comparer.look(now)),
    checkpoint: () => {
      leave(comparer.checkpoint())
      made.diverged = undefined
      return made
    },
  }
  return made
}
