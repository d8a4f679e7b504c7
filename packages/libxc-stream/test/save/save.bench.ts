import { openImageSaver, StagedSink } from '@xen-replication/libxc-stream'
import type { ByteSink } from '@xen-replication/format'
import { bench, describe } from 'vitest'
import { memoryGuest } from './memory-guest.ts'

const nowhere: ByteSink = { write: () => Promise.resolve() }
const PAGES = 65_536 // 256 MiB
const DIRTY = 2400

describe('a guest of 256 MiB, 65536 pages', () => {
  const guest = memoryGuest(PAGES)
  bench('saved to nowhere', async () => {
    const saver = await openImageSaver(guest, { mode: 'stopped' })
    await saver.begin(nowhere)
    await saver.finish(nowhere)
    await saver.close()
  })
})

describe('a checkpoint of 2400 scattered pages, while the guest stands', async () => {
  const guest = memoryGuest(PAGES, Array.from({ length: DIRTY }, (_, i) => 1 + 27 * i))
  const saver = await openImageSaver(guest, { mode: 'checkpointed', policy: () => 'stop' })
  await saver.begin(nowhere)
  const staged = new StagedSink(nowhere, { bytes: 16 << 20 })
  bench('staged', async () => {
    await saver.checkpoint(staged)
    await staged.release()
  })
})
