import type { ByteSource } from '@xen-replication/format'
import type { Clock } from '@xen-replication/hypervisor'
import { LinkError } from '@xen-replication/plugin-api'

/** Longest silence within a checkpoint, in milliseconds: the guest of the primary has 60 s to suspend, as with libxl. */
export const CHECKPOINT_IDLE_MS = 75_000

/**
 * The same bytes, waited for only so long at a time.
 *
 * @throws LinkError LINK_TIMEOUT when none came in that time; what is given up goes on, and whoever owns the source closes it
 */
export function patientSource(source: ByteSource, clock: Clock, ms: number): ByteSource {
  return {
    read: (max) => {
      const bytes = source.read(max)
      return bytes instanceof Promise ? inTime(bytes, clock, ms) : bytes
    },
  }
}

/** Waits for something of a checkpoint, but only so long. @throws as `patientSource` */
export async function inTime<T>(work: Promise<T>, clock: Clock, ms: number): Promise<T> {
  const over = new AbortController()
  const late = clock.sleep(ms, over.signal).then(() => {
    throw new LinkError('LINK_TIMEOUT', `the primary lives, but no part of its checkpoint came within ${ms} ms`, { hint: 'look at the output of xr on the other host' })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    late.catch(() => undefined)
    work.catch(() => undefined)
    over.abort(new Error('it came'))
  }
}
