import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** What a real QEMU 7.2 said to its secondary, until it was killed. */
export const recorded = new Uint8Array(gunzipSync(readFileSync(new URL('../../format/vectors/qemu/rom-killed-primary.p2s.gz', import.meta.url))))
/** Bytes of the stream before the first message, and of the first two checkpoints. Source: the timeline of the recording. */
export const FIRST = 839_711
export const SECOND = 1_115_338

/** The recording, or the first bytes of it, as a file. */
export function recordedFile(folder: string, end = recorded.length): string {
  const path = join(folder, 'guest.p2s')
  writeFileSync(path, recorded.subarray(0, end))
  return path
}
