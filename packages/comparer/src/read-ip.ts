import { u16 } from './big-endian.ts'
import { readSegment } from './read-tcp.ts'
import type { Sent } from './sent.ts'

const ICMP = 1
const IGMP = 2
const TCP = 6
const UDP = 17
const ICMPV6 = 58

const IPV4_BYTES = 20
/** Offset in units of 8 bytes, and "more of them follow". */
const FRAGMENT_BITS = 0x3fff

/**
 * @param at where the header begins
 * @param tags of the frame, part of the flow's name
 * @returns undefined for what is no IPv4. Source: RFC 791.
 */
export function readIpv4(bytes: Uint8Array, at: number, tags: string): Sent | undefined {
  const header = ((bytes[at] ?? 0) & 15) * 4
  if (bytes.length < at + IPV4_BYTES || (bytes[at] as number) >>> 4 !== 4 || header < IPV4_BYTES) return undefined
  const end = at + u16(bytes, at + 2) // behind it a short frame is filled up
  const from = at + header
  if (end > bytes.length || from > end) return undefined
  const protocol = bytes[at + 9] as number
  const flow = tags + String.fromCharCode(4, protocol) + halves(bytes, at + 12, 4)
  const fragment = u16(bytes, at + 6) & FRAGMENT_BITS
  if (protocol === IGMP) return { kind: 'signalling' }
  if (fragment !== 0) return { kind: 'whole', flow: `${flow} part ${fragment}`, body: { bytes, from, to: end } }
  return readTransport(bytes, { from, end, protocol, flow })
}

const IPV6_BYTES = 40
/** Hop-by-hop options, routing, destination options: a length in units of 8 bytes, the first of them not counted. */
const OPTIONS: readonly number[] = [0, 43, 60]
const FRAGMENT = 44
const FRAGMENT_BYTES = 8
/** Offset in units of 8 bytes, two bits of nothing, "more of them follow". */
const FRAGMENT_BITS_6 = 0xfff9
/** Multicast listeners, and routers and neighbours. */
const isSignalling6 = (type: number): boolean => (type >= 130 && type <= 137) || type === 143

/** @returns undefined for what is no IPv6. Source: RFC 8200, 4443, 4861, 3810. */
export function readIpv6(bytes: Uint8Array, at: number, tags: string): Sent | undefined {
  if (bytes.length < at + IPV6_BYTES || (bytes[at] as number) >>> 4 !== 6) return undefined
  const end = at + IPV6_BYTES + u16(bytes, at + 4)
  if (end > bytes.length) return undefined
  const name = `${tags}\u0006${halves(bytes, at + 8, 16)}`
  let protocol = bytes[at + 6] as number
  let from = at + IPV6_BYTES
  while (OPTIONS.includes(protocol)) {
    if (from + 2 > end) return undefined
    protocol = bytes[from] as number
    from += ((bytes[from + 1] as number) + 1) * 8
    if (from > end) return undefined
  }
  if (protocol === FRAGMENT) {
    if (from + FRAGMENT_BYTES > end) return undefined
    const fragment = u16(bytes, from + 2) & FRAGMENT_BITS_6
    if (fragment !== 0) return { kind: 'whole', flow: `${name} ${bytes[from]} part ${fragment}`, body: { bytes, from: from + FRAGMENT_BYTES, to: end } }
    protocol = bytes[from] as number
    from += FRAGMENT_BYTES
  }
  if (protocol === ICMPV6 && from < end && isSignalling6(bytes[from] as number)) return { kind: 'signalling' }
  return readTransport(bytes, { from, end, protocol, flow: name + String.fromCharCode(protocol) })
}

interface Content {
  readonly from: number
  readonly end: number
  readonly protocol: number
  readonly flow: string
}

/** Of whatever is not TCP, all behind the IP header is compared, its own check sum too; hop counts and numbers of packets are not. Source: colo-compare. */
function readTransport(bytes: Uint8Array, { from, end, protocol, flow }: Content): Sent {
  const segment = protocol === TCP ? readSegment(bytes, from, end) : undefined
  if (segment !== undefined) return { kind: 'tcp', flow: flow + halves(bytes, from, 2), segment }
  const ported = protocol === UDP && end - from >= 4
  const ports = ported ? 2 : protocol === ICMP || protocol === ICMPV6 ? 1 : 0
  return { kind: 'whole', flow: flow + halves(bytes, from, ports), body: { bytes, from, to: end } }
}

/** So many 16-bit numbers as characters: names of flows are made of them, since numbers in figures take their time. */
function halves(bytes: Uint8Array, at: number, count: number): string {
  let name = ''
  for (let n = 0; n < count; n += 1) name += String.fromCharCode(u16(bytes, at + n * 2))
  return name
}
