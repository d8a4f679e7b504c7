import { encodeDirtyPfnRecord } from '@xen-replication/format'
import { packetSize, PACKETS_MAX, type SentPacket } from '../frame/packets.ts'
import { PIECE_MAX } from '../frame/piece.ts'
import type { Session } from '../session.ts'
import { EpochReceiver } from './epoch-receiver.ts'

/** The receiving side of a replication that runs the guest as well. */
export class LockstepReceiver extends EpochReceiver {
  readonly #session: Session

  constructor(session: Session) {
    super(session)
    this.#session = session
  }

  /** @param pfns ascending. @throws as `Session.send` */
  async dirtyPfns(pfns: readonly number[]): Promise<void> {
    const record = encodeDirtyPfnRecord(pfns)
    for (let at = 0; at < record.length; at += PIECE_MAX) await this.#session.send('back', record.subarray(at, at + PIECE_MAX))
  }

  /** Shows the peer what the guest has sent. Packets too long for a frame are left out: they count as lost on the way. @throws as `Session.send` */
  async packets(packets: readonly SentPacket[]): Promise<void> {
    let next: SentPacket[] = []
    let size = 0
    for (const packet of packets.filter((one) => packetSize(one) <= PACKETS_MAX)) {
      if (size + packetSize(packet) > PACKETS_MAX) {
        await this.#session.send('packets', next)
        next = []
        size = 0
      }
      next.push(packet)
      size += packetSize(packet)
    }
    if (next.length > 0) await this.#session.send('packets', next)
  }
}
