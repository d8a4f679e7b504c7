import type { ByteSink } from '@xen-replication/format'
import { StagedSink, type ImageSaver } from '@xen-replication/libxc-stream'
import type { Libxl } from '../protocol/libxl.ts'
import type { SaveReport } from '../report/save-report.ts'

const PAGE_BYTES = 4096
/** Most memory that keeps a checkpoint while the guest runs on; what is beyond it is sent while the guest stands. */
const STAGED_BYTES_MAX = 64 << 20

/** What checkpoints are made with. */
export interface CheckpointScene {
  readonly saver: ImageSaver
  readonly sink: ByteSink
  readonly libxl: Libxl
  readonly progress: SaveReport
}

/**
 * Makes checkpoints until libxl wants no more. A checkpoint is copied while the guest stands and sent once libxl has let it go on (`postcopy`).
 * All of it is out before `checkpoint`, with which libxl writes records of its own behind it.
 *
 * @returns what libxl said to end it: 0, or less after a failure of its own.
 */
export async function sendCheckpoints({ saver, sink, libxl, progress }: CheckpointScene): Promise<number> {
  const staged = new StagedSink(sink, { bytes: Math.min(saver.pages * PAGE_BYTES, STAGED_BYTES_MAX) })
  for (;;) {
    await saver.stop()
    await saver.checkpoint(staged)
    const resumed = await libxl.ask('postcopy', {})
    if (resumed <= 0) return resumed
    progress.resumed()
    await staged.release()
    const sent = await libxl.ask('checkpoint', {})
    if (sent <= 0) return sent
  }
}
