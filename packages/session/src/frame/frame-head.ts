import { crc32 } from 'node:zlib'
import { struct, u16, u32, type StructOf } from '@xen-replication/format'
import { count } from './count.ts'

/**
 * What stands before every body, little-endian. `crc`: CRC-32 of the 16 bytes before it and the body; of `data` the payload is left out, because that
 * has its own.
 */
export const frameHead = struct(20, { type: u16, flags: u16, length: u32, number: count, crc: u32 })
export type FrameHead = StructOf<typeof frameHead>

/** Bytes of the head that its own checksum covers. */
export const HEAD_COVERED = 16

/** Bits of `flags`. `mayPass`: who does not know the type passes over the frame. */
export const FRAME_FLAG = { mayPass: 1 } as const

/** Longest frame of unknown type that is passed over, in bytes. */
export const PASS_MAX = 64 * 1024

/** @param covered the part of the body that the head's checksum covers. */
export function frameChecksum(head: Uint8Array, covered: Uint8Array): number {
  const start = crc32(head.subarray(0, HEAD_COVERED))
  return covered.length === 0 ? start : crc32(covered, start) // Node forgets the start when there is nothing to add
}
