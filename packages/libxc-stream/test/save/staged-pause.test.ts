import type { ByteSink } from '@xen-replication/format'
import { openImageSaver, StagedSink } from '@xen-replication/libxc-stream'
import { describe, expect, it } from 'vitest'
import { memoryGuest } from './memory-guest.ts'

const DIRTY = 2400
const PAGE = 4096
const nowhere: ByteSink = { write: () => Promise.resolve() }

/** A guest of which is known whether it stands. */
function standingGuest(): { readonly guest: ReturnType<typeof memoryGuest>; readonly log: string[] } {
  const guest = memoryGuest(8192, Array.from({ length: DIRTY }, (_, i) => 1 + 3 * i))
  const log: string[] = []
  let stands = false
  const turn = (what: 'suspended' | 'resumed') => (): Promise<void> => {
    stands = what === 'suspended'
    log.push(what)
    return Promise.resolve()
  }
  const lifecycle = {
    ...guest.lifecycle,
    suspend: turn('suspended'),
    resume: turn('resumed'),
    state: () => Promise.resolve({ dying: false, paused: false, shutdown: stands ? ('suspend' as const) : undefined }),
  }
  return { guest: { ...guest, lifecycle }, log }
}

describe('a staged checkpoint of 2400 pages to a peer that takes nothing', () => {
  it('lets the guest go on at once; its pages wait, as they were', async () => {
    const { guest, log } = standingGuest()
    const saver = await openImageSaver(guest, { mode: 'checkpointed', policy: () => 'stop' })
    await saver.begin(nowhere)
    let offered = 0
    const take: (() => void)[] = []
    const stalled: ByteSink = {
      write: (parts) => {
        offered += parts.reduce((sum, { length }) => sum + length, 0)
        return new Promise((resolve) => take.push(resolve))
      },
    }
    const staged = new StagedSink(stalled, { bytes: 16 << 20 })
    await saver.stop()
    await saver.checkpoint(staged)
    expect([offered, log]).toEqual([0, ['suspended']])
    await guest.lifecycle.resume('cancelled')
    const sent: string[] = []
    const release = staged.release().then(() => sent.push('sent'))
    await new Promise(setImmediate)
    expect([log, sent, (await guest.lifecycle.state()).shutdown]).toEqual([['suspended', 'resumed'], [], undefined])
    expect(offered).toBeGreaterThan(DIRTY * PAGE)
    take.forEach((done) => done())
    await release
    await saver.close()
  })
})
