import type { ByteSource } from '@xen-replication/format'
import { readSync } from 'node:fs'
import { patiently } from './patiently.ts'
import { streamFailed } from './stream-failed.ts'

/** Most bytes of one read; what is in the processor's cache when it is copied on. */
const PIECE_BYTES = 256 * 1024

/**
 * The stream of a descriptor. It takes what it is asked for and not a byte more: libxl reads on from the same descriptor. Reads wait in the
 * system; whoever ends the process meanwhile ends the restore.
 */
export function streamSource(fd: number): ByteSource {
  const piece = new Uint8Array(PIECE_BYTES)
  return {
    read: (max) => {
      try {
        const got = patiently(() => readSync(fd, piece, 0, Math.min(max, PIECE_BYTES), null))
        return got === 0 ? undefined : piece.subarray(0, got)
      } catch (cause) {
        throw streamFailed('read', cause)
      }
    },
  }
}
