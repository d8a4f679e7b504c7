import { isXrError } from '@xen-replication/errors'
import { openReceiver, openSender, StreamSink, StreamSource, type Compressor, type OpenOptions, type Session } from '@xen-replication/session'
import { describe, expect, it } from 'vitest'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Pace } from '../src/stream/pace.ts'
import { aborted } from '../src/wire/within.ts'
import { memoryLink, type MemoryLink } from './memory-link.ts'
import { noise } from './pair.ts'
import { VirtualClock } from './virtual-clock.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))

interface Both {
  readonly sender: Session
  readonly receiver: Session
  readonly link: MemoryLink
  readonly clock: VirtualClock
}

async function open(options: Partial<OpenOptions> = {}, link?: MemoryLink, clock = new VirtualClock(), receiving: Partial<OpenOptions> = {}): Promise<Both> {
  const between = link ?? memoryLink()
  const base = { clock, purpose: 'remus', compression: 'none' as const, ...options }
  const [sender, receiver] = await Promise.all([openSender({ ...base, channel: between.sender }), openReceiver({ ...base, channel: between.receiver, ...receiving })])
  return { sender, receiver, link: between, clock }
}

const end = ({ sender, receiver }: Both): Promise<unknown> => Promise.all([sender.end(), receiver.end()])

async function drain(source: StreamSource, max = 100_000): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let part = await source.read(max); part !== undefined; part = await source.read(max)) parts.push(part.slice())
  return Buffer.concat(parts)
}

describe('a stream with epochs', () => {
  it('stops at the end of each, takes words and answers in between, and is one stream for its digest', async () => {
    const both = await open()
    const { sender, receiver } = both
    const sink = new StreamSink(sender)
    const source = new StreamSource(receiver)
    for (let epoch = 1; epoch <= 3; epoch += 1) {
      await sink.write([noise(100_000, epoch), noise(3, epoch)])
      await sink.flush()
      await sender.send('epoch-end', { epoch })
      await sender.send('say', 'svm-ready')
      expect(Buffer.compare(await drain(source), Buffer.concat([noise(100_000, epoch), noise(3, epoch)]))).toBe(0)
      expect([source.isWhole, await receiver.expect('epoch-end'), await receiver.expect('say')]).toEqual([false, { epoch }, 'svm-ready'])
      await receiver.send('epoch-stored', { epoch, token: 3n })
      expect(await sender.expect('epoch-stored')).toEqual({ epoch, token: 3n })
    }
    await sink.end()
    expect([await source.read(5), source.isWhole, await source.read(5)]).toEqual([undefined, true, undefined])
    expect([sink.bytes, sink.wireBytes > sink.bytes]).toEqual([300_009, true])
    await end(both)
  })
})

describe('a receiver that is slow', () => {
  it('holds no more than its window, and the sender waits', async () => {
    const both = await open({ limits: { windowBytes: 256 * 1024, batchBytes: 65_536 } })
    const sink = new StreamSink(both.sender)
    let written = 0
    const writing = (async () => {
      for (let i = 0; i < 64; i += 1, written = sink.bytes) await sink.write([noise(65_536, i)])
      await sink.end()
    })()
    await both.clock.sleep(5_000)
    expect(written).toBeLessThanOrEqual(320 * 1024)
    const source = new StreamSource(both.receiver)
    expect((await drain(source, 1000)).length).toBe(64 * 65_536)
    await writing
    await end(both)
  })
})

describe('a limit of the bandwidth', () => {
  it('is kept to', async () => {
    const both = await open({ limits: { bandwidthBytes: 1_000_000 } })
    const start = both.clock.now()
    const sink = new StreamSink(both.sender)
    const reading = drain(new StreamSource(both.receiver))
    for (let i = 0; i < 50; i += 1) await sink.write([noise(100_000, i)])
    await sink.end()
    await reading
    expect(both.clock.now() - start).toBeGreaterThan(3_900)
    expect(both.clock.now() - start).toBeLessThan(5_200)
    await end(both)
  })

  it('lets nothing pile up in a pause, and ends when the session does', async () => {
    const clock = new VirtualClock()
    const pace = new Pace(clock, 1000)
    const { signal } = new AbortController()
    await pace.take(1000, signal)
    await clock.sleep(60_000)
    const start = clock.now()
    for (let i = 0; i < 11; i += 1) await pace.take(100, signal)
    expect(clock.now() - start).toBeGreaterThanOrEqual(900)
    await pace.take(10_000, signal)
    await expect(pace.take(1, AbortSignal.abort())).rejects.toThrow()
  })
})

describe('compression on a slow wire', () => {
  const deflate: Compressor = {
    name: 'deflate', compress: (bytes) => deflateRawSync(bytes, { level: 1 }), decompress: (bytes, maxOutputLength) => inflateRawSync(bytes, { maxOutputLength }),
  }
  const text = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * i) >> 12)
  const over = async (compression: 'auto' | 'none'): Promise<{ readonly ms: number; readonly bytes: number }> => {
    const clock = new VirtualClock()
    const link = memoryLink({ rate: 5_000, sleep: (ms) => clock.sleep(ms) })
    const both = await open({ compression, compressors: [deflate], limits: { batchBytes: 65_536 } }, link, clock)
    const start = clock.now()
    const sink = new StreamSink(both.sender)
    const reading = drain(new StreamSource(both.receiver))
    for (let i = 0; i < 16; i += 1) await sink.write([text])
    await sink.end()
    expect((await reading).length).toBe(16 << 20)
    const ms = clock.now() - start
    await end(both)
    return { ms, bytes: sink.wireBytes }
  }

  it('is found to be worth it, and what arrives is what was sent', async () => {
    const none = await over('none')
    const auto = await over('auto')
    expect(none.bytes).toBeGreaterThan(16 << 20)
    expect([auto.bytes / none.bytes, auto.ms / none.ms].every((share) => share < 0.75)).toBe(true)
  })
})

describe('zero pages', () => {
  it('take next to nothing on the wire', async () => {
    const both = await open()
    const sink = new StreamSink(both.sender)
    const reading = drain(new StreamSource(both.receiver))
    const guest = new Uint8Array(4 << 20)
    guest.set(noise(4096), 8192 + 24)
    await sink.write([guest])
    await sink.end()
    expect(Buffer.compare(await reading, guest)).toBe(0)
    expect(sink.wireBytes).toBeLessThan(10_000)
    await end(both)
  })
})

describe('a link on which nothing happens', () => {
  it('is kept alive by heartbeats', async () => {
    const both = await open()
    await both.clock.sleep(120_000)
    expect([both.sender.failure, both.receiver.failure]).toEqual([undefined, undefined])
    await end(both)
  })

  it('is found dead in the time that was set, and not before', async () => {
    const clock = new VirtualClock()
    const both = await open({ limits: { heartbeatMs: 100, silenceMs: 300 } }, memoryLink({ cutAtWrite: 12, as: 'silence' }, { as: 'silence' }), clock)
    const start = clock.now()
    const error = await both.sender.peek().catch((thrown: unknown) => thrown)
    expect(codeOf(error)).toBe('LINK_TIMEOUT')
    expect(clock.now() - start).toBeGreaterThan(1_000)
    expect(clock.now() - start).toBeLessThan(1_700)
    await end(both)
  })

  it('is not taken for dead by a process that was stopped itself for a while', async () => {
    const both = await open({ limits: { heartbeatMs: 100, silenceMs: 300 } })
    for (let i = 0; i < 20; i += 1) {
      await both.clock.sleep(150)
      both.clock.spend(5_000)
    }
    expect([both.sender.failure, both.receiver.failure]).toEqual([undefined, undefined])
    await end(both)
  })
})

describe('a session that is over', () => {
  it('takes nothing more and gives nothing more', async () => {
    const both = await open()
    await end(both)
    await expect(both.sender.send('yours', {})).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
    await expect(both.receiver.peek()).rejects.toMatchObject({ code: 'SESSION_CLOSED' })
    await both.sender.end()
  })

  it('on one side is over on the other once all has been heard', async () => {
    const both = await open()
    await both.sender.send('say', 'last')
    const ending = both.sender.end()
    expect(await both.receiver.expect('say')).toBe('last')
    await expect(both.receiver.peek()).rejects.toMatchObject({ code: 'SESSION_CLOSED', message: 'the peer has ended the session' })
    await both.receiver.end()
    await ending
  })

  it('does not wait for ever for a peer that does not end', async () => {
    const both = await open()
    const start = both.clock.now()
    await both.sender.end()
    expect(both.clock.now() - start).toBeLessThan(10_000)
    await both.receiver.end()
  })

  it('by abort tells why', async () => {
    const both = await open()
    const aborting = both.receiver.abort('abort', { code: 'ANY', message: 'because' })
    await expect(both.sender.peek()).rejects.toMatchObject({ code: 'SESSION_PEER_ABORTED', message: 'the peer gave up: ANY: because' })
    await expect(new StreamSink(both.sender).write([noise(2 << 20)])).rejects.toMatchObject({ code: 'SESSION_PEER_ABORTED' })
    await both.sender.end()
    await aborting
  })

  it('or broken tells what was wrong where something else is due', async () => {
    const both = await open()
    await both.sender.send('yours', {})
    await expect(both.receiver.expect('epoch-end')).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED', message: 'yours came where epoch-end was due' })
    await new StreamSink(both.sender).end()
    await end(both)
  })

  it('tells how far it is', async () => {
    const events: unknown[] = []
    const both = await open({ observe: (event) => events.push(event) })
    both.receiver.tell(17, 2)
    await both.clock.sleep(10)
    expect(events).toContainEqual({ type: 'progress', bytes: 0, pages: 17, state: 2 })
    await end(both)
  })
})

describe('a signal', () => {
  it('that was aborted before fails at once, whatever its reason', async () => {
    await expect(aborted(AbortSignal.abort('stop')).failure).rejects.toMatchObject({ cause: 'stop' })
  })
})
