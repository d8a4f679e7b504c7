import type { GuestPacket } from '@xen-replication/hypervisor'

// Frames as a guest would send them.

const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)]
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)]

export const ethernet = (type: number, rest: readonly number[]): Uint8Array => Uint8Array.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ...be16(type), ...rest])
export const tagged = (vlan: number, frame: Uint8Array): Uint8Array => Uint8Array.from([...frame.slice(0, 12), ...be16(0x8100), ...be16(vlan), ...frame.slice(12)])
export const arp = (): Uint8Array => ethernet(0x0806, new Array<number>(28).fill(1))

interface Ipv4 {
  readonly protocol: number
  readonly ident?: number
  readonly ttl?: number
  readonly from?: readonly number[]
  readonly fragment?: number
}

export const ipv4 = ({ protocol, ident = 1, ttl = 64, from = [10, 0, 0, 2], fragment = 0 }: Ipv4, rest: readonly number[]): Uint8Array =>
  ethernet(0x0800, [0x45, 0, ...be16(20 + rest.length), ...be16(ident), ...be16(fragment), ttl, protocol, 0, 0, ...from, 10, 0, 0, 1, ...rest])

const FE80 = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
export const ipv6 = (protocol: number, rest: readonly number[], hops = 64): Uint8Array => ethernet(0x86dd, [0x60, 0, 0, 0, ...be16(rest.length), protocol, hops, ...FE80, 2, ...FE80, 1, ...rest])

export interface Udp extends Partial<Ipv4> {
  readonly port?: number
  readonly text?: string
}

export const udpBody = ({ port = 53, text = '' }: Udp): number[] => [...be16(port), ...be16(40_000), ...be16(8 + bytesOf(text).length), 0, 0, ...bytesOf(text)]
export const udp = (of: Udp): Uint8Array => ipv4({ ...of, protocol: 17 }, udpBody(of))
export const ping = (text: string, ident = 1): Uint8Array => ipv4({ protocol: 1, ident }, [0, 0, 0, 0, 0, 1, 0, 1, ...bytesOf(text)])

export interface Tcp {
  readonly seq: number
  readonly ack?: number
  readonly data?: string | readonly number[]
  readonly port?: number
  /** FIN, SYN, RST: letters of them. */
  readonly signs?: string
  readonly window?: number
  readonly ident?: number
  /** Bytes of options, a multiple of 4. */
  readonly options?: readonly number[]
}

export function tcpBody({ seq, ack, data = '', port = 50_000, signs = '', window = 1000, options = [] }: Tcp): number[] {
  const flags = (signs.includes('F') ? 1 : 0) | (signs.includes('S') ? 2 : 0) | (signs.includes('R') ? 4 : 0) | (ack === undefined ? 0 : 16)
  const payload = typeof data === 'string' ? bytesOf(data) : data
  return [...be16(80), ...be16(port), ...be32(seq), ...be32(ack ?? 0), (5 + options.length / 4) << 4, flags, ...be16(window), 0, 0, 0, 0, ...options, ...payload]
}

export const tcp = (of: Tcp): Uint8Array => ipv4({ protocol: 6, ident: of.ident ?? 1 }, tcpBody(of))

export const packet = (bytes: Uint8Array, card = 'net0'): GuestPacket => ({ card, bytes })
