import { HeldDevice } from './held-device.ts'

/** A packet of a simulated guest. */
export interface Packet {
  /** Counted by the guest, from 1, in its own memory. */
  readonly number: number
  /** Operations the guest had done when it sent this. */
  readonly ops: number
  /** When the guest sent it and when it left the host, in milliseconds of the host's clock. */
  readonly sentAt: number
  readonly leftAt: number
  /** Something that depends on the moment and on the host, 0 to 127, in guests that are told to send it; else 0. */
  readonly noise: number
}

/** A network card whose packets can be held until a checkpoint is safe. */
export class Nic extends HeldDevice<Packet> {
  readonly kind = 'network'
  /** Packets that have left the host, in the order in which they did. */
  readonly out: readonly Packet[]

  /** @param seen is told of each packet that leaves. */
  constructor(name: string, now: () => number, seen: (packet: Packet) => void) {
    const out: Packet[] = []
    super(name, (packet) => {
      const left = { ...packet, leftAt: Math.max(now(), packet.sentAt) }
      out.push(left)
      seen(left)
    })
    this.out = out
  }
}
