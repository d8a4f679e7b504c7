import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeColoMessage } from '@xen-replication/format'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openCapture } from '../../src/capture/open-capture.ts'
import { runReplayPrimary } from '../../src/primary/replay-primary.ts'
import { createCaptureFiles } from '../../src/record/capture-files.ts'
import { recordLink, type RecordEnd } from '../../src/record/record-link.ts'
import { runPassiveSecondary } from '../../src/secondary/passive-secondary.ts'
import { openDirectoryStore } from '../../src/store/directory-store.ts'
import { channelPair } from '../channel-pair.ts'
import { emptyDirectory } from '../empty-directory.ts'
import { clock } from '../real-clock.ts'
import { recorded, recordedFile, SECOND } from '../recorded.ts'

const { signal } = new AbortController()

/** A primary and a secondary with a recorder between them. */
async function recordedPair(folder: string, checkpoints: number): Promise<{ readonly end: RecordEnd; readonly epoch: number | undefined }> {
  const [near, far] = [channelPair(), channelPair()]
  const files = await createCaptureFiles(join(folder, 'again'))
  const store = openDirectoryStore(join(folder, 'store'))
  const capture = await openCapture(recordedFile(folder))
  onTestFinished(() => capture.close())
  const recording = recordLink({ primary: near.secondary, secondary: far.primary, clock, signal, keep: files.keep })
  const kept = runPassiveSecondary({ channel: far.secondary, store, clock, signal })
  await runReplayPrimary({ channel: near.primary, source: capture, clock, signal, checkpoints, intervalMs: 0 })
  await near.primary.end()
  await kept
  await far.secondary.end()
  const end = await recording
  await files.close()
  await files.close()
  await store.close()
  return { end, epoch: (await kept).epoch }
}

describe('a recording', () => {
  it('has every byte of both directions, with times, and can be played again', async () => {
    const folder = emptyDirectory()
    const { end, epoch } = await recordedPair(folder, 1)
    expect([end, epoch]).toEqual([{ bytes: { p2s: SECOND, s2p: 16 }, why: undefined }, 1])
    expect(Buffer.compare(readFileSync(join(folder, 'again.p2s')), recorded.subarray(0, SECOND))).toBe(0)
    const answers = ['checkpoint-ready', 'checkpoint-reply', 'vmstate-received', 'vmstate-loaded'] as const
    expect(readFileSync(join(folder, 'again.s2p'))).toEqual(Buffer.concat(answers.map((name) => encodeColoMessage(name))))
    const times = readFileSync(join(folder, 'again.times.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { ms: number; direction: 'p2s' | 's2p'; offset: number; length: number })
    for (const direction of ['p2s', 's2p'] as const) {
      let at = 0
      for (const piece of times.filter((one) => one.direction === direction)) {
        expect(piece.offset).toBe(at)
        at += piece.length
      }
      expect(at).toBe(end.bytes[direction])
    }
    expect(times.map(({ ms }) => ms)).toEqual(times.map(({ ms }) => ms).sort((a, b) => a - b))
    const capture = await openCapture(join(folder, 'again.p2s'))
    expect(capture.checkpoints).toBe(1)
    capture.close()
  })

  it('is never written over another one', async () => {
    const folder = emptyDirectory()
    writeFileSync(join(folder, 'guest.s2p'), 'mine')
    await expect(createCaptureFiles(join(folder, 'guest'))).rejects.toMatchObject({ code: 'QEMU_CAPTURE', hint: expect.stringContaining('never written over') as string })
    expect(readFileSync(join(folder, 'guest.s2p'), 'utf8')).toBe('mine')
    await expect(createCaptureFiles(join(folder, 'nowhere/guest'))).rejects.toMatchObject({ code: 'QEMU_CAPTURE' })
  })

  it('ends when one side is lost, and the other side is told', async () => {
    const [near, far] = [channelPair(), channelPair()]
    const seen: number[] = []
    const recording = recordLink({ primary: near.secondary, secondary: far.primary, clock, signal, keep: ({ length }) => Promise.resolve(void seen.push(length)) })
    await near.primary.write([Uint8Array.of(1, 2, 3)])
    expect(await far.secondary.read(100)).toEqual(Uint8Array.of(1, 2, 3))
    await near.primary.close()
    expect(await recording).toMatchObject({ bytes: { p2s: 3, s2p: 0 }, why: { code: 'LINK_LOST' } })
    await expect(far.secondary.read(100)).rejects.toMatchObject({ code: 'LINK_LOST' })
    expect(seen).toEqual([3])
  })

  it('ends when one side has ended and the other leaves the link open, as QEMU does', async () => {
    const [near, far] = [channelPair(), channelPair()]
    const recording = recordLink({ primary: near.secondary, secondary: far.primary, clock, signal, keep: () => Promise.resolve() })
    await near.primary.end()
    expect(await far.secondary.read(1)).toBe(undefined)
    expect(await recording).toEqual({ bytes: { p2s: 0, s2p: 0 }, why: undefined })
  })

  it('that cannot be kept ends, and hands on nothing that was not kept', async () => {
    const [near, far] = [channelPair(), channelPair()]
    const recording = recordLink({ primary: near.secondary, secondary: far.primary, clock, signal, keep: () => Promise.reject(new Error('no space')) })
    await near.primary.write([Uint8Array.of(1)])
    await expect(recording).rejects.toThrow('no space')
    await expect(far.secondary.read(1)).rejects.toMatchObject({ code: 'LINK_LOST' })
  })

  it('that is called off ends at once', async () => {
    const [near, far] = [channelPair(), channelPair()]
    const stop = new AbortController()
    const recording = recordLink({ primary: near.secondary, secondary: far.primary, clock, signal: stop.signal, keep: () => Promise.resolve() })
    stop.abort(new Error('that is enough'))
    await expect(recording).rejects.toThrow('that is enough')
  })
})
