import { u32 } from './big-endian.ts'
import type { Segment } from './sent.ts'

const TCP_BYTES = 20
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

/** @returns undefined for what is no TCP. Source: RFC 9293, 3.1. */
export function readSegment(bytes: Uint8Array, from: number, end: number): Segment | undefined {
  if (end - from < TCP_BYTES) return undefined
  const header = ((bytes[from + 12] as number) >>> 4) * 4
  if (header < TCP_BYTES || from + header > end) return undefined
  const flags = bytes[from + 13] as number
  return {
    seq: u32(bytes, from + 4),
    ack: flags & ACK ? u32(bytes, from + 8) : undefined,
    syn: flags & SYN ? 1 : 0,
    fin: flags & FIN ? 1 : 0,
    rst: flags & RST ? 1 : 0,
    payload: { bytes, from: from + header, to: end },
  }
}
