import { isXrError } from '@xen-replication/errors'
import { receiveCopy, sendCopy, sendStream, type CopyNotes, type CopyOptions, type CopySource, type PartStore } from '@xen-replication/session'
import { describe, expect, it } from 'vitest'
import { readNotes } from '../../src/copy/notes.ts'
import { Exchange } from '../exchange.ts'
import { memoryLink } from '../memory-link.ts'
import { noise } from '../pair.ts'
import { realClock } from '../real-clock.ts'
import { MemoryPart } from './memory-part.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))
const limits = { batchBytes: 16_384, resumeWaitMs: 0, redialMs: 1 }

const sourceOf = (bytes: Uint8Array): CopySource => ({ read: (at, max) => Promise.resolve(at >= bytes.length ? undefined : bytes.subarray(at, at + max)) })

function memoryNotes(): CopyNotes & { text: string | undefined } {
  const notes = {
    text: undefined as string | undefined,
    load: () => Promise.resolve(notes.text),
    save: (text: string) => Promise.resolve(void (notes.text = text)),
    remove: () => Promise.resolve(void (notes.text = undefined)),
  }
  return notes
}

interface Ends {
  readonly sent: number | string
  readonly got: number | string
}

async function copy(bytes: Uint8Array, store: PartStore, link = memoryLink(), notes?: CopyNotes, options: Partial<CopyOptions> = {}): Promise<Ends> {
  const base = { clock: realClock, compression: 'none' as const, limits, again: () => Promise.reject(new Error('nobody')), ...options }
  const [sent, got] = await Promise.all([
    sendCopy({ ...base, channel: link.sender }, sourceOf(bytes), notes).catch(codeOf),
    receiveCopy({ ...base, channel: link.receiver }, store).catch(codeOf),
  ])
  return { sent, got }
}

const isThere = ({ whole, part, noted }: MemoryPart, bytes: Uint8Array): void => {
  expect(Buffer.compare(whole ?? new Uint8Array(0), bytes)).toBe(0)
  expect([part, noted]).toEqual([undefined, undefined])
}

describe('a copy', () => {
  it.each([0, 1, 16_384, 300_000])('of %i bytes arrives whole, and nothing else is left', async (length) => {
    const notes = memoryNotes()
    const store = new MemoryPart()
    expect(await copy(noise(length), store, memoryLink(), notes)).toEqual({ sent: length, got: length })
    isThere(store, noise(length))
    expect(notes.text).toBeUndefined()
  })

  it('goes on over a new link', async () => {
    const exchange = new Exchange((n) => (n < 4 ? [{ cutAtWrite: 4 + n }, {}] : [{}, {}]))
    const clock = realClock
    const store = new MemoryPart()
    const again = { clock, compression: 'none' as const, limits: { ...limits, resumeWaitMs: 30_000 } }
    const [sent, got] = await Promise.all([
      sendCopy({ ...again, channel: await exchange.dial(), again: () => exchange.dial() }, sourceOf(noise(300_000))),
      receiveCopy({ ...again, channel: await exchange.accept(), again: (signal) => exchange.accept(signal) }, store),
    ])
    expect([sent, got, exchange.links.length]).toEqual([300_000, 300_000, 5])
    isThere(store, noise(300_000))
  })

  it('goes on with new processes on both sides, and sends again no more than was on its way', async () => {
    const bytes = noise(3_000_000)
    const notes = memoryNotes()
    const store = new MemoryPart()
    for (const cutAtByte of [500_000, 700_000, 100, 900_000]) {
      const { sent, got } = await copy(bytes, store, memoryLink({ cutAtByte }), notes)
      expect([typeof sent, typeof got]).toEqual(['string', 'string'])
    }
    const last = memoryLink()
    expect(await copy(bytes, store, last, notes)).toEqual({ sent: bytes.length, got: bytes.length })
    isThere(store, bytes)
    expect(last.counts().senderBytes).toBeLessThan(bytes.length - 2_100_000 + 4 * 65_536 + 20_000)
  })

  it('goes on with a new process at the receiver alone', async () => {
    const bytes = noise(600_000)
    const first = memoryLink({ cutAtByte: 300_000 })
    const second = memoryLink()
    const store = new MemoryPart()
    const clock = realClock
    const base = { clock, compression: 'none' as const, limits }
    const died = receiveCopy({ ...base, channel: first.receiver, again: () => Promise.reject(new Error('dead')) }, store).catch(codeOf)
    const sending = sendCopy({ ...base, limits: { ...limits, resumeWaitMs: 60_000 }, channel: first.sender, again: () => died.then(() => second.sender) }, sourceOf(bytes))
    expect(await died).toBe('LINK_LOST')
    expect(await receiveCopy({ ...base, channel: second.receiver, again: () => Promise.reject(new Error('nobody')) }, store)).toBe(bytes.length)
    expect(await sending).toBe(bytes.length)
    isThere(store, bytes)
  })

  it('of another source does not take over the part', async () => {
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), memoryNotes())
    expect(await copy(noise(50_000, 9), store, memoryLink(), memoryNotes())).toEqual({ sent: 50_000, got: 50_000 })
    isThere(store, noise(50_000, 9))
  })

  it('is given up where the part is gone, and can be begun anew', async () => {
    const notes = memoryNotes()
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), notes)
    store.noted = undefined
    expect(await copy(noise(300_000), store, memoryLink(), notes)).toEqual({ sent: 'SESSION_PEER_ABORTED', got: 'SESSION_GONE' })
    expect(await copy(noise(300_000), store, memoryLink(), notes)).toEqual({ sent: 300_000, got: 300_000 })
  })

  it.each<[string, (store: MemoryPart) => unknown]>([
    ['is shorter than was noted', (store) => (store.part = store.part?.subarray(0, 1000))],
    ['is gone', (store) => (store.part = undefined)],
  ])('is refused where the part %s', async (_, harm) => {
    const notes = memoryNotes()
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), notes)
    harm(store)
    expect((await copy(noise(300_000), store, memoryLink(), notes)).got).toBe('SESSION_PART')
  })

  it('is refused in the end where the part was changed', async () => {
    const notes = memoryNotes()
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), notes)
    const part = store.part as Uint8Array
    part[5] = (part[5] as number) ^ 1
    expect(await copy(noise(300_000), store, memoryLink(), notes)).toEqual({ sent: 'SESSION_PEER_ABORTED', got: 'SESSION_DIGEST' })
    expect(store.whole).toBeUndefined()
  })

  it('is refused where the source has become shorter', async () => {
    const notes = memoryNotes()
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), notes)
    expect(await copy(noise(1000), store, memoryLink(), notes)).toEqual({ sent: 'SESSION_PART', got: 'SESSION_PEER_ABORTED' })
  })

  it('that the operator gives up ends on both sides, and the part stays', async () => {
    const abort = new AbortController()
    const source: CopySource = { read: (at) => Promise.resolve(at > 100_000 ? (abort.abort(new Error('enough')), noise(10)) : noise(20_000)) }
    const link = memoryLink()
    const store = new MemoryPart()
    const base = { clock: realClock, compression: 'none' as const, limits }
    const [sent, got] = await Promise.all([
      sendCopy({ ...base, channel: link.sender, signal: abort.signal }, source).catch(codeOf),
      receiveCopy({ ...base, channel: link.receiver }, store).catch(codeOf),
    ])
    expect([sent, got]).toEqual(['Error: enough', 'SESSION_PEER_ABORTED'])
    expect(store.part?.length).toBeGreaterThan(0)
  })

  it('onto a disk that is full ends on both sides', async () => {
    const store = new MemoryPart()
    const full: PartStore = {
      notes: () => store.notes(), open: (length) => store.open(length), read: (at, max) => store.read(at, max), note: (notes) => store.note(notes),
      finish: () => store.finish(), close: () => store.close(), append: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
    }
    const { sent, got } = await copy(noise(100_000), full)
    expect([sent, got]).toEqual(['SESSION_PEER_ABORTED', 'Error: no space'])
  })
})

describe('the notes of a transfer', () => {
  const good = async (): Promise<Record<string, unknown>> => {
    const store = new MemoryPart()
    await copy(noise(300_000), store, memoryLink({ cutAtByte: 200_000 }), memoryNotes())
    return JSON.parse(store.noted ?? '') as Record<string, unknown>
  }

  it('are read as written', async () => {
    const { start, agreement } = readNotes(JSON.stringify(await good()), 'receiver', [])
    expect(start.offset).toBeGreaterThan(100_000)
    expect(agreement).toMatchObject({ role: 'receiver', purpose: 'copy', version: 1, compressor: undefined })
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['of another schema', { schema: 'xr.transfer/2' }, 'SESSION_PART'],
    ['of another version of the protocol', { version: 9 }, 'SESSION_PART'],
    ['with another offset', { offset: 5 }, 'SESSION_PART'],
    ['with an offset that is none', { offset: -5 }, 'SESSION_PART'],
    ['with another session', { session: '00'.repeat(16) }, 'SESSION_PART'],
    ['with a key that is none', { key: 'x' }, 'SESSION_PART'],
    ['of the other side', { role: 'sender' }, 'SESSION_PART'],
    ['with a compression that is not there', { compression: 'lz4' }, 'SESSION_COMPRESSION'],
  ])('%s are refused', async (_, change, code) => {
    const text = JSON.stringify({ ...(await good()), ...change })
    expect(() => readNotes(text, 'receiver', [])).toThrow(expect.objectContaining({ code }) as Error)
  })

  it.each(['', '{', 'null', '[]'])('%o are refused', (text) => {
    expect(() => readNotes(text, 'receiver', [])).toThrow(expect.objectContaining({ code: 'SESSION_PART' }) as Error)
  })
})

describe('a stream that is made on the way', () => {
  const base = { clock: realClock, compression: 'none' as const, limits: { ...limits, resumeWaitMs: 30_000 } }
  const written = (bytes: Uint8Array) => async (sink: { write(parts: readonly Uint8Array[]): Promise<void> }): Promise<void> => {
    for (let at = 0; at < bytes.length; at += 50_000) await sink.write([bytes.subarray(at, at + 50_000)])
  }

  it('arrives whole over links that are lost', async () => {
    const exchange = new Exchange((n) => (n < 3 ? [{ cutAtWrite: 5 + n }, {}] : [{}, {}]))
    const store = new MemoryPart()
    const [sent, got] = await Promise.all([
      sendStream({ ...base, channel: await exchange.dial(), again: () => exchange.dial() }, written(noise(400_000))),
      receiveCopy({ ...base, channel: await exchange.accept(), again: (signal) => exchange.accept(signal) }, store),
    ])
    expect([sent, got, exchange.links.length]).toEqual([400_000, 400_000, 4])
    isThere(store, noise(400_000))
  })

  it('that cannot be made ends on both sides, which say why', async () => {
    const link = memoryLink()
    const [sent, got] = await Promise.allSettled([
      sendStream({ ...base, channel: link.sender }, () => Promise.reject(new Error('no guest'))),
      receiveCopy({ ...base, channel: link.receiver }, new MemoryPart()),
    ])
    expect([sent, got]).toMatchObject([{ reason: { message: 'no guest' } }, { reason: { code: 'SESSION_PEER_ABORTED', message: expect.stringContaining('no guest') as string } }])
  })

  it('is not taken for safe when the other side is gone before it said so', async () => {
    const link = memoryLink({}, { cutAtWrite: 3 })
    const [sent] = await Promise.all([
      sendStream({ ...base, channel: link.sender }, written(noise(100_000))).catch(codeOf),
      receiveCopy({ ...base, channel: link.receiver }, new MemoryPart()).catch(codeOf),
    ])
    expect(sent).toBe('LINK_LOST')
  })
})
