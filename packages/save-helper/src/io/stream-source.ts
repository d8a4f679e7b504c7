import type { ByteSource } from '@xen-replication/format'
import { readSync } from 'node:fs'
import { imageSource } from './image-source.ts'
import { patiently } from './patiently.ts'
import { streamFailed } from './stream-failed.ts'

/**
 * The image in the stream of a descriptor. Not a byte behind it is taken: libxl reads on from the same descriptor. Reads wait in the system; whoever
 * ends the process meanwhile ends the restore.
 */
export function streamSource(fd: number): ByteSource {
  return imageSource((buffer, size) => {
    try {
      return patiently(() => readSync(fd, buffer, 0, size, null))
    } catch (cause) {
      throw streamFailed('read', cause)
    }
  })
}
