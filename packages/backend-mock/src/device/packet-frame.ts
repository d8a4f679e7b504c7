import type { Packet } from './nic.ts'

/** Bytes of each part of a frame. */
const ETHERNET = 14
const IPV4 = 20
const UDP = 8
const PAYLOAD = 16
/** An Ethernet frame is at least this long, without its check sequence. */
const LEAST = 60

const IPV4_TYPE = 0x0800
const UDP_PROTOCOL = 17
/** RFC 863: whoever listens there throws away what comes. */
const DISCARD_PORT = 9

/**
 * A simulated packet as a card would send it: a UDP datagram whose payload is the number of the packet and the operations that the guest had done,
 * 8 bytes each. Guests that have done the same send the same.
 */
export function frameOf({ number, ops, noise }: Pick<Packet, 'number' | 'ops' | 'noise'>): Uint8Array {
  const frame = new Uint8Array(LEAST)
  const view = new DataView(frame.buffer)
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])
  view.setUint16(12, IPV4_TYPE)
  view.setUint8(ETHERNET, 0x45)
  view.setUint16(ETHERNET + 2, IPV4 + UDP + PAYLOAD)
  view.setUint8(ETHERNET + 8, 64)
  view.setUint8(ETHERNET + 9, UDP_PROTOCOL)
  frame.set([192, 0, 2, 1, 192, 0, 2, 2], ETHERNET + 12)
  view.setUint16(ETHERNET + 10, checksum(view, ETHERNET, IPV4))
  const udp = ETHERNET + IPV4
  view.setUint16(udp, DISCARD_PORT)
  view.setUint16(udp + 2, DISCARD_PORT)
  view.setUint16(udp + 4, UDP + PAYLOAD) // no checksum: 0 says so
  view.setBigUint64(udp + UDP, BigInt(number))
  view.setBigUint64(udp + UDP + 8, (BigInt(noise) << 56n) | BigInt(ops))
  return frame
}

/** Sum of 16-bit words as RFC 1071 has it. */
function checksum(view: DataView, from: number, length: number): number {
  let sum = 0
  for (let at = from; at < from + length; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
