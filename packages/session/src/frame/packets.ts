import { fromHex, toHex, viewOf, type Codec } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'

/** A packet that a guest of the receiver has sent. `member`: which guest; `card`: which of its cards, from 0. */
export interface SentPacket {
  readonly member: number
  readonly card: number
  readonly bytes: Uint8Array
}

/** Before each packet: u16 member, u16 card, u32 length. */
const HEAD = 8
/** Longest frame of packets, in bytes: one packet of 64 KiB, as segmentation offload makes them, with its Ethernet head fits four times. */
export const PACKETS_MAX = 256 * 1024

/** Bytes that a packet takes. */
export const packetSize = ({ bytes }: SentPacket): number => HEAD + bytes.length

/** Packets one after the other. What is decoded holds on to the body. */
export const packets: Codec<readonly SentPacket[]> = {
  decode: (body) => {
    const view = viewOf(body)
    const found: SentPacket[] = []
    for (let at = 0; at < body.length; ) {
      const length = body.length - at < HEAD ? Infinity : view.getUint32(at + 4, true)
      if (length > body.length - at - HEAD) throw new SessionError('SESSION_MALFORMED', 'a packet is longer than what came of it')
      found.push({ member: view.getUint16(at, true), card: view.getUint16(at + 2, true), bytes: body.subarray(at + HEAD, at + HEAD + length) })
      at += HEAD + length
    }
    return found
  },
  encode: (list) => {
    const body = new Uint8Array(list.reduce((sum, one) => sum + packetSize(one), 0))
    const view = viewOf(body)
    let at = 0
    for (const { member, card, bytes } of list) {
      view.setUint16(at, member, true)
      view.setUint16(at + 2, card, true)
      view.setUint32(at + 4, bytes.length, true)
      body.set(bytes, at + HEAD)
      at += HEAD + bytes.length
    }
    return body
  },
  toJson: (list) => list.map(({ member, card, bytes }) => ({ member, card, bytes: toHex(bytes) })),
  fromJson: (json) => {
    if (!Array.isArray(json)) throw new SessionError('SESSION_MALFORMED', 'a list of packets wanted')
    return json.map((one) => {
      const { member, card, bytes } = one as { member: number; card: number; bytes: string }
      return { member, card, bytes: fromHex(bytes) ?? new Uint8Array(0) }
    })
  },
}
