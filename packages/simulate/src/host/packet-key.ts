import type { Packet } from '@xen-replication/backend-mock'

/** Where the payload of a simulated packet begins. Source: backend-mock, packet-frame.ts: Ethernet, IPv4, UDP. */
const PAYLOAD = 14 + 20 + 8

/** What makes two packets the same: number, operations and what is of the moment. @param frame of a simulated guest */
export function packetKey(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  return keyOf({ number: Number(view.getBigUint64(PAYLOAD)), ops: view.getUint32(PAYLOAD + 12), noise: view.getUint8(PAYLOAD + 8) })
}

export const keyOf = ({ number, ops, noise }: Pick<Packet, 'number' | 'ops' | 'noise'>): string => `${number} ${ops} ${noise}`
