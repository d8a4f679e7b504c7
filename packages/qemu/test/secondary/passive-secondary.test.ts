import { setTimeout } from 'node:timers/promises'
import { ByteReader, encodeColoMessage, QemuReader, sourceOfBytes, writeQemuStream, type ColoMessageName } from '@xen-replication/format'
import type { Clock } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { runPassiveSecondary, type SecondaryEnd, type SecondaryNote } from '../../src/secondary/passive-secondary.ts'
import type { CheckpointStore } from '../../src/store/checkpoint-store.ts'
import { openDirectoryStore } from '../../src/store/directory-store.ts'
import { openBackup } from '../../src/store/open-backup.ts'
import { emptyDirectory } from '../empty-directory.ts'
import { FIRST, recorded, SECOND } from '../recorded.ts'
import { scriptedPeer, type Script } from '../scripted-peer.ts'

const clock: Clock = { now: () => performance.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }) }

const message = (name: ColoMessageName, size?: number): Uint8Array => encodeColoMessage(name, size)

/** The recording up to `end`, each part said when it is its turn. */
function upTo(end: number): Script['say'] {
  const say: { after: number; bytes: Uint8Array }[] = [{ after: 0, bytes: recorded.subarray(0, Math.min(end, FIRST)) }]
  let answers = 4
  for (let at = FIRST; at < end; ) {
    say.push({ after: answers, bytes: recorded.subarray(at, Math.min(at + 4, end)) })
    const blob = at + 4 + lengthOf(recorded.subarray(at + 4))
    if (end > at + 4) say.push({ after: answers + 4, bytes: recorded.subarray(at + 4, Math.min(blob, end)) })
    answers += 12
    at = blob
  }
  return say
}

/** Of what is said between a request and the next one. */
const lengthOf = (bytes: Uint8Array): number => (bytes.length < SECOND - FIRST ? bytes.length : Buffer.from(bytes).indexOf(Buffer.of(0, 0, 0, 1), 262_674 + 12_925))

interface Ran {
  readonly end: SecondaryEnd
  readonly notes: readonly SecondaryNote[]
  readonly heard: readonly number[]
}

async function run(script: Script, path: string, times = {}, signal: AbortSignal = new AbortController().signal): Promise<Ran> {
  const { channel, heard } = scriptedPeer(script)
  const store = openDirectoryStore(path)
  const notes: SecondaryNote[] = []
  try {
    const end = await runPassiveSecondary({ channel, store, clock, signal, times, observe: (note) => notes.push(note) })
    return { end, notes, heard: words(heard()) }
  } finally {
    await store.close()
  }
}

const words = (bytes: Uint8Array): readonly number[] => Array.from({ length: bytes.length / 4 }, (_, i) => bytes[4 * i + 3] ?? -1)

describe('a backup of a recorded QEMU', () => {
  it('has the last checkpoint that it acknowledged, when the primary was killed', async () => {
    const path = emptyDirectory()
    const { end, notes, heard } = await run({ say: upTo(recorded.length), then: 'ends' }, path)
    const done = notes.filter(({ kind }) => kind === 'checkpoint')
    expect(done.length).toBeGreaterThan(5)
    expect(done[0]).toMatchObject({ epoch: 1, pages: 64, devicesBytes: 12_925 })
    expect(notes.find(({ kind }) => kind === 'ready')).toEqual({ kind: 'ready', machine: 'pc-i440fx-7.2', memoryBytes: 4_734_976 })
    expect(heard).toEqual([0, ...done.flatMap(() => [2, 5, 6])])
    expect(end).toEqual({ end: 'ended', epoch: done.length, why: undefined })
    const backup = await openBackup(path)
    expect(backup.epoch).toBe(done.length)
    backup.close()
  })

  it('can be written as a stream that a QEMU starts from, with every page of that checkpoint', async () => {
    const path = emptyDirectory()
    await run({ say: upTo(SECOND), then: 'ends' }, path)
    const expected = await memoryAfter(SECOND)
    const backup = await openBackup(path)
    const found = new Map<string, Uint8Array>()
    const parts: Uint8Array[] = []
    await writeQemuStream(backup.state, { write: (some) => Promise.resolve(void parts.push(...some.map((part) => part.slice()))) })
    backup.close()
    const reader = new ByteReader(sourceOfBytes(new Uint8Array(Buffer.concat(parts))))
    const sections: string[] = []
    for await (const item of new QemuReader(reader, keeping(found)).stream()) if (item.kind === 'section') sections.push(item.name)
    expect([...found].map(([name, bytes]) => [name, Buffer.compare(bytes, expected.get(name) ?? new Uint8Array(0))])).toEqual([...expected.keys()].map((name) => [name, 0]))
    expect(sections.length).toBe(33)
  })
})

const keeping = (found: Map<string, Uint8Array>): ConstructorParameters<typeof QemuReader>[1] => ({
  blocks: (blocks) => blocks.forEach(({ name, length }) => found.set(name, new Uint8Array(length))),
  page: ({ name }, offset, bytes) => void (bytes === undefined ? found.get(name)?.fill(0, offset, offset + 4096) : found.get(name)?.set(bytes, offset)),
})

/** Memory as the recording has it up to `end`, read without the store. */
async function memoryAfter(end: number): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  const reader = new ByteReader(sourceOfBytes(recorded.subarray(0, end)))
  const qemu = new QemuReader(reader, keeping(found))
  for await (const item of qemu.stream()) if (item.kind === 'end') continue
  await reader.take(8)
  for await (const item of qemu.live()) if (item.kind === 'end') continue
  return found
}

describe('a primary that is lost', () => {
  it.each([
    ['in its first stream', 500_000, undefined],
    ['behind its first stream', FIRST, 0],
    ['behind a request', FIRST + 4, 0],
    ['in the memory of a checkpoint', FIRST + 100_000, 0],
    ['in the devices of a checkpoint', SECOND - 5, 0],
    ['between two checkpoints', SECOND, 1],
    ['within a message', SECOND + 2, 1],
  ])('%s leaves the checkpoint before', async (_, cut, epoch) => {
    const path = emptyDirectory()
    const { end } = await run({ say: upTo(cut), then: 'ends' }, path)
    expect(end.epoch).toBe(epoch)
    if (epoch === undefined) await expect(openBackup(path)).rejects.toMatchObject({ code: 'QEMU_STORE_EMPTY' })
    else {
      const backup = await openBackup(path)
      expect(backup.epoch).toBe(epoch)
      backup.close()
    }
  })

  it.each([
    ['in its first stream', 500_000, undefined],
    ['behind a request', FIRST + 4, 0],
    ['in the memory of a checkpoint', FIRST + 100_000, 0],
    ['in the devices of a checkpoint', SECOND - 5, 0],
  ])('%s, silent and not gone, is given up', async (_, cut, epoch) => {
    const { end } = await run({ say: upTo(cut), then: 'is silent' }, emptyDirectory(), { answerMs: 100 })
    expect(end).toMatchObject({ end: 'lost', epoch, why: { code: 'LINK_TIMEOUT' } })
  })

  it('that takes no answers is given up', async () => {
    const { end } = await run({ say: upTo(FIRST), then: 'is silent', takes: 3 }, emptyDirectory(), { answerMs: 100 })
    expect(end).toMatchObject({ end: 'lost', epoch: 0, why: { code: 'LINK_TIMEOUT', message: expect.stringContaining('took nothing for 100 ms') as string } })
  })

  it('between two checkpoints is waited for as long as was said', async () => {
    const { end } = await run({ say: upTo(SECOND), then: 'is silent' }, emptyDirectory(), { answerMs: 50, idleMs: 300 })
    expect(end).toMatchObject({ end: 'lost', epoch: 1, why: { code: 'LINK_TIMEOUT', message: expect.stringContaining('300 ms') as string } })
  })
})

describe('a primary that is out of step', () => {
  const after = (...bytes: readonly Uint8Array[]): Script => ({ say: [...upTo(FIRST), ...bytes.map((one) => ({ after: 4, bytes: one }))], then: 'is silent' })

  it.each<[string, Script, string]>([
    ['with a message that does not exist', after(Uint8Array.of(0, 0, 0, 9)), 'FMT_COLO_MESSAGE'],
    ['with what a secondary says', after(message('vmstate-loaded')), 'QEMU_OUT_OF_STEP'],
    ['with memory that was not announced', after(message('vmstate-send')), 'REPL_UNEXPECTED_EVENT'],
    ['with devices instead of memory', after(message('checkpoint-request'), message('vmstate-size', 10)), 'REPL_UNEXPECTED_EVENT'],
    ['with two requests', after(message('checkpoint-request'), message('checkpoint-request')), 'REPL_UNEXPECTED_EVENT'],
    ['with sections it does not have', after(message('checkpoint-request'), message('vmstate-send'), Uint8Array.of(3, 0, 0, 0, 77)), 'FMT_QEMU_STREAM'],
    ['with devices that do not end', after(message('checkpoint-request'), message('vmstate-send'), Uint8Array.of(0), message('vmstate-size', 2), Uint8Array.of(4, 4)), 'QEMU_OUT_OF_STEP'],
    ['with devices that end in the middle of one', after(message('checkpoint-request'), message('vmstate-send'), Uint8Array.of(0), message('vmstate-size', 100), new Uint8Array(100)), 'QEMU_OUT_OF_STEP'],
    ['with endless devices', after(message('checkpoint-request'), message('vmstate-send'), Uint8Array.of(0, 0, 0, 0, 4, 9, 9, 9, 9, 9, 9, 9, 9)), 'FMT_BODY_TOO_LARGE'],
    ['without replication', { say: [{ after: 0, bytes: Uint8Array.from([...Buffer.from('QEVM'), 0, 0, 0, 3, 0]) }], then: 'ends' }, 'QEMU_NOT_COLO'],
    ['with something else', { say: [{ after: 0, bytes: new Uint8Array(100) }], then: 'ends' }, 'FMT_NOT_AN_IMAGE'],
  ])('%s ends the backup, and the last checkpoint stays', async (_, script, code) => {
    const path = emptyDirectory()
    await expect(run(script, path, { answerMs: 2000 })).rejects.toMatchObject({ code })
    if (script.say.length < 2) return
    const backup = await openBackup(path)
    expect(backup.epoch).toBe(0)
    backup.close()
  })
})

describe('a backup that is called off', () => {
  it('ends at once with the reason, and keeps what it has', async () => {
    const stop = new AbortController()
    const path = emptyDirectory()
    const running = run({ say: upTo(FIRST), then: 'is silent' }, path, {}, stop.signal)
    await setTimeout(300)
    stop.abort(new Error('that is enough'))
    await expect(running).rejects.toThrow('that is enough')
  })

  it('does not acknowledge what could not be stored', async () => {
    const { channel, heard } = scriptedPeer({ say: upTo(SECOND), then: 'is silent' })
    let commits = 0
    const store: CheckpointStore = { begin: () => Promise.resolve(), page: () => undefined, commit: () => (commits++ === 0 ? Promise.resolve(0) : Promise.reject(new Error('no space'))), drop: () => Promise.reject(new Error('no space either')), close: () => Promise.resolve() }
    await expect(runPassiveSecondary({ channel, store, clock, signal: new AbortController().signal })).rejects.toThrow('no space')
    expect(words(heard())).toEqual([0, 2])
  })
})
