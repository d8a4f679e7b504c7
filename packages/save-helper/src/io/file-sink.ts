import type { ByteSink } from '@xen-replication/format'
import { writevSync } from 'node:fs'
import { remaining } from './remaining.ts'
import { streamFailed } from './stream-failed.ts'

/** Longest time for which signals wait to be seen, in milliseconds, when writing goes well. */
const TURN_EVERY_MS = 100

/** Writes to what never waits for somebody: a file, a device. Parts go from where they lie. */
export function fileSink(fd: number): ByteSink {
  let turned = performance.now()
  return {
    write: async (parts) => {
      try {
        for (let left = remaining(parts, 0); left.length > 0; left = remaining(left, writevSync(fd, left))) continue
      } catch (cause) {
        throw streamFailed('written', cause)
      }
      if (performance.now() - turned < TURN_EVERY_MS) return
      await new Promise((resolve) => setImmediate(resolve)) // lets the process see a signal
      turned = performance.now()
    },
  }
}
