import { u16 } from './big-endian.ts'
import { readIpv4, readIpv6 } from './read-ip.ts'
import type { Sent } from './sent.ts'

/** Two addresses and a type. */
const ETHERNET_BYTES = 14
const TYPE_AT = 12
/** A tag: its type stands where the frame's own would, which follows two bytes later. */
const TAG_BYTES = 4
const VLAN = 0x8100
const PROVIDER_VLAN = 0x88a8
/** A provider's tag and a customer's. */
const MOST_TAGS = 2

const IPV4 = 0x0800
const IPV6 = 0x86dd
const ARP = 0x0806
const RARP = 0x8035

/**
 * Finds out what is to be compared of a frame. What cannot be read as what it says it is, is compared as it stands, from its first byte to its last:
 * never throws. Source: IEEE 802.3, 802.1Q.
 */
export function readFrame(bytes: Uint8Array): Sent {
  let at = TYPE_AT
  let tags = ''
  for (let n = 0; n < MOST_TAGS && isTag(u16(bytes, at)); n += 1) {
    tags += `${u16(bytes, at + 2)}.`
    at += TAG_BYTES
  }
  const rest = at + ETHERNET_BYTES - TYPE_AT
  if (bytes.length < rest) return asItStands(bytes)
  const type = u16(bytes, at)
  if (type === ARP || type === RARP) return { kind: 'signalling' }
  if (type === IPV4) return readIpv4(bytes, rest, tags) ?? asItStands(bytes)
  if (type === IPV6) return readIpv6(bytes, rest, tags) ?? asItStands(bytes)
  return asItStands(bytes)
}

const isTag = (type: number): boolean => type === VLAN || type === PROVIDER_VLAN

function asItStands(bytes: Uint8Array): Sent {
  const short = bytes.length < ETHERNET_BYTES
  return { kind: 'whole', flow: short ? 'short' : `type ${u16(bytes, TYPE_AT)}`, body: { bytes, from: 0, to: bytes.length } }
}
