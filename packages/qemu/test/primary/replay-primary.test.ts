import { encodeColoMessage, type ColoMessageName } from '@xen-replication/format'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openCapture } from '../../src/capture/open-capture.ts'
import { replayOfBackup } from '../../src/primary/replay-of-backup.ts'
import { runReplayPrimary, type PrimaryNote, type ReplayEnd, type ReplayPorts } from '../../src/primary/replay-primary.ts'
import type { ReplaySource } from '../../src/primary/replay-source.ts'
import { runPassiveSecondary } from '../../src/secondary/passive-secondary.ts'
import { openDirectoryStore } from '../../src/store/directory-store.ts'
import { openBackup } from '../../src/store/open-backup.ts'
import { channelPair } from '../channel-pair.ts'
import { emptyDirectory } from '../empty-directory.ts'
import { clock } from '../real-clock.ts'
import { FIRST, recorded, recordedFile, SECOND } from '../recorded.ts'
import { scriptedPeer, type Script } from '../scripted-peer.ts'

const ONE_MEMORY = 262_674
const ONE_BLOB = 12_925
const say = (after: number, ...names: readonly ColoMessageName[]) => names.map((name) => ({ after, bytes: encodeColoMessage(name, name === 'vmstate-size' ? 8 : undefined) }))
/** What a secondary answers to the first checkpoint, when it is its turn. */
const turns = [...say(FIRST, 'checkpoint-ready'), ...say(FIRST + 4, 'checkpoint-reply'), ...say(FIRST + 4 + 4 + ONE_MEMORY + 12 + ONE_BLOB, 'vmstate-received', 'vmstate-loaded')]

async function capture(end = recorded.length): Promise<ReplaySource> {
  const opened = await openCapture(recordedFile(emptyDirectory(), end))
  onTestFinished(() => opened.close())
  return opened
}

interface Ran {
  readonly end: ReplayEnd
  readonly notes: readonly PrimaryNote[]
  readonly heard: Uint8Array
}

async function run(script: Script, more: Partial<ReplayPorts> = {}): Promise<Ran> {
  const { channel, heard } = scriptedPeer(script)
  const notes: PrimaryNote[] = []
  const source = more.source ?? (await capture())
  const end = await runReplayPrimary({ channel, clock, signal: new AbortController().signal, intervalMs: 0, checkpoints: 1, observe: (note) => notes.push(note), ...more, source })
  return { end, notes, heard: heard() }
}

describe('a recorded primary', () => {
  it('sends what was recorded, byte for byte', async () => {
    const { end, notes, heard } = await run({ say: turns, then: 'is silent' })
    expect(Buffer.compare(heard, recorded.subarray(0, SECOND))).toBe(0)
    expect(end).toEqual({ end: 'done', checkpoints: 1, why: undefined })
    expect(notes.filter(({ kind }) => kind === 'move').map((note) => note.kind === 'move' && note.to)).toEqual(['presenting', 'leading', 'asking', 'handing', 'waiting', 'leading', 'over'])
    expect(notes.find(({ kind }) => kind === 'checkpoint')).toMatchObject({ checkpoint: 1 })
  })

  it('begins again behind its last checkpoint, as often as was asked', async () => {
    const { primary, secondary } = channelPair()
    const store = openDirectoryStore(emptyDirectory())
    const source = await capture(SECOND)
    const { signal } = new AbortController()
    const kept = runPassiveSecondary({ channel: secondary, store, clock, signal })
    const end = await runReplayPrimary({ channel: primary, source, clock, signal, checkpoints: 4, intervalMs: 1 })
    await primary.close()
    expect([end.checkpoints, (await kept).epoch]).toEqual([4, 4])
    await store.close()
  })

  it('that was cut has the checkpoints before the cut', async () => {
    expect((await capture(SECOND - 1)).checkpoints).toBe(0)
    expect((await capture(SECOND + 1000)).checkpoints).toBe(1)
    expect((await capture()).checkpoints).toBeGreaterThan(5)
    const { end, heard } = await run({ say: turns, then: 'is silent' }, { source: await capture(SECOND - 1), checkpoints: 3 })
    expect(end).toEqual({ end: 'done', checkpoints: 0, why: undefined })
    expect(heard.length).toBe(FIRST)
  })

  it('is refused where it is none', async () => {
    const folder = emptyDirectory()
    await expect(openCapture(folder)).rejects.toMatchObject({ code: 'QEMU_CAPTURE' })
    await expect(openCapture(`${folder}/nothing`)).rejects.toMatchObject({ code: 'QEMU_CAPTURE' })
    await expect(openCapture(recordedFile(folder, 1000))).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
    await expect(openCapture(recordedFile(folder, 0))).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
  })

  it('made of a backup takes the secondary back to it', async () => {
    const [first, second] = [emptyDirectory(), emptyDirectory()]
    const pass = async (source: ReplaySource, path: string, checkpoints: number): Promise<void> => {
      const { primary, secondary } = channelPair()
      const store = openDirectoryStore(path)
      const { signal } = new AbortController()
      const kept = runPassiveSecondary({ channel: secondary, store, clock, signal })
      await runReplayPrimary({ channel: primary, source, clock, signal, checkpoints, intervalMs: 0 })
      await primary.close()
      expect((await kept).epoch).toBe(checkpoints)
      await store.close()
    }
    await pass(await capture(), first, 2)
    const backup = await openBackup(first)
    onTestFinished(() => backup.close())
    await pass(replayOfBackup(backup), second, 3)
    const again = await openBackup(second)
    onTestFinished(() => again.close())
    expect(Buffer.compare(again.state.devices, backup.state.devices)).toBe(0)
    for (const block of backup.state.blocks) {
      for (let at = 0; at < block.length; at += 4096) expect(await again.state.page(block, at), `${block.name} at ${at}`).toEqual(await backup.state.page(block, at))
    }
  })
})

describe('a secondary that is lost', () => {
  it.each<[string, Script, number, string]>([
    ['silent before it is ready', { say: [], then: 'is silent' }, 0, 'LINK_TIMEOUT'],
    ['gone before it is ready', { say: [], then: 'ends' }, 0, 'LINK_LOST'],
    ['that takes no more of the stream', { say: [], then: 'is silent', takes: 1000 }, 0, 'LINK_TIMEOUT'],
    ['silent behind a request', { say: turns.slice(0, 1), then: 'is silent' }, 0, 'LINK_TIMEOUT'],
    ['that takes no more of the memory', { say: turns.slice(0, 2), then: 'is silent', takes: FIRST + 100_000 }, 0, 'LINK_TIMEOUT'],
    ['silent behind the devices', { say: turns.slice(0, 2), then: 'is silent' }, 0, 'LINK_TIMEOUT'],
    ['gone behind the devices', { say: turns.slice(0, 3), then: 'ends' }, 0, 'LINK_LOST'],
    ['gone within a message', { say: [{ after: FIRST, bytes: Uint8Array.of(0, 0) }], then: 'ends' }, 0, 'LINK_LOST'],
    ['gone between two checkpoints', { say: turns, then: 'ends' }, 1, 'LINK_LOST'],
  ])('%s, is told of within the time', async (_, script, checkpoints, code) => {
    const { end } = await run(script, { checkpoints: 2, answerMs: 200 })
    expect(end).toMatchObject({ end: 'lost', checkpoints, why: { code } })
  })
})

describe('a secondary that is out of step', () => {
  it.each<[string, Script['say'], string]>([
    ['with a message that does not exist', [{ after: FIRST, bytes: Uint8Array.of(0, 0, 0, 7) }], 'FMT_COLO_MESSAGE'],
    ['with what a primary says', say(FIRST, 'checkpoint-request'), 'QEMU_OUT_OF_STEP'],
    ['with an answer that nobody asked for', say(FIRST, 'vmstate-loaded'), 'REPL_UNEXPECTED_EVENT'],
    ['with two answers', [...say(FIRST, 'checkpoint-ready'), ...say(FIRST + 4, 'checkpoint-reply', 'checkpoint-reply')], 'REPL_UNEXPECTED_EVENT'],
    ['with the end before the middle', [...turns.slice(0, 2), ...say(FIRST + 4 + 4 + ONE_MEMORY + 12 + ONE_BLOB, 'vmstate-loaded')], 'REPL_UNEXPECTED_EVENT'],
  ])('%s ends the replay', async (_, script, code) => {
    await expect(run({ say: script, then: 'is silent' }, { answerMs: 5000 })).rejects.toMatchObject({ code })
  })
})

describe('a replay that is called off', () => {
  it('ends at once with the reason', async () => {
    const stop = new AbortController()
    const running = run({ say: turns, then: 'is silent' }, { signal: stop.signal, checkpoints: 5, intervalMs: 60_000 })
    setTimeout(() => stop.abort(new Error('that is enough')), 300)
    await expect(running).rejects.toThrow('that is enough')
  })
})
