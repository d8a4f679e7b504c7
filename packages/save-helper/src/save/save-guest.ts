import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, GuestForSave } from '@xen-replication/hypervisor'
import { openImageSaver, type SaveOptions } from '@xen-replication/libxc-stream'
import type { HelperHost } from '../helper-host.ts'
import type { SaveJob } from '../job.ts'
import type { Libxl } from '../protocol/libxl.ts'
import { SaveReport } from '../report/save-report.ts'
import type { Report } from '../report/report.ts'
import { sendCheckpoints } from './checkpoints.ts'
import { savedGuest } from './saved-guest.ts'

/** What a save works with. */
export interface SaveScene {
  readonly host: HelperHost
  readonly libxl: Libxl
  readonly report: Report
  readonly sink: ByteSink
  readonly signal: AbortSignalLike
}

/**
 * Writes the libxc image of a guest. Whatever happens the guest's memory is no longer watched afterwards; whether it runs is libxl's business.
 *
 * @returns what to tell libxl: 0, or what ended the checkpoints.
 * @throws HelperError, SaveError, BackendError
 */
export async function saveGuest({ host, libxl, report, sink, signal }: SaveScene, job: SaveJob): Promise<number> {
  const guest = await host.openForSave(job.domId)
  try {
    const mode = modeOf(job)
    await requireWatchable(guest, mode)
    const progress = new SaveReport(report, job.manner)
    const saver = await openImageSaver(savedGuest(guest, libxl, job), { mode, verify: job.verify, holes: job.holes, observe: progress.observe, signal })
    try {
      await saver.begin(sink)
      if (mode === 'checkpointed') return await sendCheckpoints({ saver, sink, libxl, progress })
      await saver.finish(sink)
      return 0
    } finally {
      await saver.close()
    }
  } finally {
    await guest.close()
  }
}

/** Checkpoints begin with memory sent while the guest runs, whatever the flags say. */
const modeOf = ({ stream, manner }: SaveJob): SaveOptions['mode'] => (stream === 'remus' ? 'checkpointed' : manner)

/**
 * Not every hypervisor can watch the memory of PV guests. It is tried before anything is written, and before libxl makes ready for a guest that runs.
 *
 * @throws BackendError BACKEND_UNSUPPORTED
 */
async function requireWatchable({ facts, dirty }: GuestForSave, mode: SaveOptions['mode']): Promise<void> {
  if (facts.kind !== 'pv' || mode === 'stopped') return
  await dirty.enable()
  await dirty.disable()
}
