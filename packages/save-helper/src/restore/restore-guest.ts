import { ByteReader, type ByteSource } from '@xen-replication/format'
import { openImageRestorer, StreamFeed, type ImageRestorer, type RingFrames } from '@xen-replication/libxc-stream'
import type { HelperHost } from '../helper-host.ts'
import { HelperError } from '../helper-error.ts'
import type { RestoreJob } from '../job.ts'
import type { Libxl } from '../protocol/libxl.ts'
import type { Report } from '../report/report.ts'
import { tellRestore } from '../report/tell-restore.ts'
import { restoredGuest } from './restored-guest.ts'

/** What a restore works with. */
export interface RestoreScene {
  readonly host: HelperHost
  readonly libxl: Libxl
  readonly report: Report
  readonly source: ByteSource
}

/** What libxl says of its part of a checkpoint. */
const CHECKPOINT = { read: 1, failover: 2 } as const

/**
 * Fills a domain from a libxc image: up to its end, or as of its last checkpoint once the sender is gone.
 *
 * @returns frames of the guest's rings.
 * @throws HelperError, RestoreError, BackendError; the domain is libxl's to destroy then
 */
export async function restoreGuest(scene: RestoreScene, job: RestoreJob): Promise<RingFrames> {
  const { host, libxl, report, source } = scene
  const guest = await host.openForRestore(job.domId, job.rings)
  try {
    const mode = job.stream === 'remus' ? 'checkpointed' : 'plain'
    const restorer = await openImageRestorer(restoredGuest(guest, libxl, job), { mode, observe: tellRestore(report) })
    try {
      await readAll(restorer, new StreamFeed(new ByteReader(source)), scene)
      const rings = await restorer.complete()
      await guest.complete(rings)
      return rings
    } finally {
      restorer.close()
    }
  } finally {
    await guest.close()
  }
}

async function readAll(restorer: ImageRestorer, feed: StreamFeed, { libxl, report }: RestoreScene): Promise<void> {
  for (;;) {
    const segment = await restorer.readSegment(feed)
    if (segment.why === 'end') return
    if (segment.why === 'lost') {
      report.log('notice', `the sender is gone (${segment.error.message}); going on as of checkpoint ${restorer.epochs - 1}, without ${segment.dropped.bytes} bytes that came behind it`)
      return
    }
    const answer = await libxl.ask('checkpoint', {})
    if (answer === CHECKPOINT.read) await restorer.apply()
    else if (answer === CHECKPOINT.failover && restorer.epochs > 0) {
      const { bytes } = restorer.drop()
      report.log('notice', `the sender is gone; going on as of checkpoint ${restorer.epochs - 1}, without ${bytes} bytes that came behind it`)
      return
    } else throw new HelperError('HELPER_REFUSED', `libxl could not read its part of checkpoint ${restorer.epochs} (it answered ${answer})`)
  }
}
