import { isXrError } from '@xen-replication/errors'
import { encodeFrame, readFrame, type BodyOf, type SessionEvent, type SessionLimits } from '@xen-replication/session'
import { describe, expect, it } from 'vitest'
import { Flow, RESEND_LEAST } from '../src/stream/flow.ts'
import { SendLog } from '../src/stream/send-log.ts'
import { Exchange } from './exchange.ts'
import { memoryLink, type Faults } from './memory-link.ts'
import { migrate, noise, type Migration, type MigrationSetup } from './pair.ts'
import { VirtualClock } from './virtual-clock.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))
const limits: Partial<SessionLimits> = { batchBytes: 16_384 }

/** A migration over an exchange. */
async function over(exchange: Exchange, setup: MigrationSetup & { readonly limits?: Partial<SessionLimits> } = {}): Promise<Migration & { readonly events: SessionEvent[] }> {
  await exchange.dial()
  const [link] = exchange.links
  const first = await exchange.accept()
  const events: SessionEvent[] = []
  const run = await migrate({
    link: { sender: (link as { sender: typeof first }).sender, receiver: first, counts: () => ({ sender: 0, receiver: 0, senderBytes: 0, receiverBytes: 0 }), cut: () => undefined },
    options: (side) => ({
      limits: { ...limits, ...setup.limits },
      again: (signal) => (side === 'sender' ? exchange.dial() : exchange.accept(signal)),
      observe: (event) => (side === 'sender' ? events.push(event) : undefined),
    }),
    ...setup,
  })
  return { ...run, events }
}

const resent = (events: readonly SessionEvent[]): number => events.reduce((sum, event) => sum + (event.type === 'link-back' ? event.resent : 0), 0)
const isWhole = ({ source, target }: Migration): boolean => Buffer.compare(target.received, source.memory) === 0

/** Both are safe: at most one runs, and none only where the sender says that it cannot know. */
function expectSafe({ source, target, sent }: Migration): void {
  expect([source, target].filter(({ state }) => state === 'running').length, `${source.state} ${target.state}`).toBeLessThanOrEqual(1)
  if (source.state !== 'running' && target.state !== 'running') expect(sent?.end).toBe('undecided')
}

describe('a link that is lost once', () => {
  const cut = async (faults: readonly [Faults, Faults]): Promise<void> => {
    const run = await over(new Exchange((n) => (n === 0 ? faults : [{}, {}])))
    expectSafe(run)
    expect([run.sent?.end, run.got?.end]).toEqual(['moved', 'running'])
    expect(isWhole(run)).toBe(true)
  }

  it('before frame n of the sender does not keep the guest from moving', async () => {
    for (let n = 1; n < 22; n += 1) await cut([{ cutAtWrite: n }, {}])
  })

  it('before frame n of the receiver does not keep the guest from moving', async () => {
    for (let n = 1; n < 30; n += 1) await cut([{}, { cutAtWrite: n }])
  })

  it('with all that was on its way does not keep the guest from moving', async () => {
    for (let n = 1; n < 22; n += 1) await cut([{ cutAtWrite: n, loses: 'what was not read' }, { loses: 'what was not read' }])
    for (let n = 1; n < 30; n += 1) await cut([{ loses: 'what was not read' }, { cutAtWrite: n, loses: 'what was not read' }])
  })

  it('without a word does not keep the guest from moving', async () => {
    for (let n = 1; n < 22; n += 5) await cut([{ cutAtWrite: n, as: 'silence' }, { as: 'silence' }])
    for (let n = 1; n < 30; n += 5) await cut([{ as: 'silence' }, { cutAtWrite: n, as: 'silence' }])
  })

  it('within a frame does not keep the guest from moving', async () => {
    for (let n = 400; n < 200_000; n += 9_973) await cut([{ cutAtByte: n, piece: () => 1400 }, { piece: () => 7 }])
  })
})

describe('links that are lost again and again', () => {
  it('do not keep the guest from moving, and greetings may be lost too', async () => {
    for (let seed = 0; seed < 12; seed += 1) {
      const run = await over(new Exchange((n) => (n > 8 ? [{}, {}] : [{ cutAtWrite: n === 0 ? 3 : (seed * 7 + n * 5) % 9 }, { cutAtWrite: n === 0 ? 99 : (seed * 3 + n) % 11 }])))
      expectSafe(run)
      expect([run.sent?.end, run.got?.end, isWhole(run)]).toEqual(['moved', 'running', true])
    }
  })
})

describe('what is sent twice', () => {
  it('is at most 1 % of what was sent, or 64 KiB where that is more', async () => {
    const memory = noise(24 * 1024 * 1024)
    for (const at of [100_000, 3_000_000, 12_000_000, 20_000_000]) {
      const run = await over(new Exchange((n) => [n === 0 ? { cutAtByte: at, loses: 'what was not read', capacity: 1e9 } : {}, { loses: 'what was not read' }]), { memory, limits: { batchBytes: 1024 * 1024 } })
      expect([run.sent?.end, isWhole(run)]).toEqual(['moved', true])
      expect(resent(run.events)).toBeGreaterThan(0)
      expect(resent(run.events)).toBeLessThanOrEqual(Math.max(RESEND_LEAST, at / 100))
    }
  })

  it('over all losses together is no more than that', () => {
    const flow = new Flow({ window: 8 * 1024 * 1024, batch: 1024 * 1024, resumable: true })
    flow.send(100 * 1024 * 1024)
    flow.take(100 * 1024 * 1024)
    expect(flow.admits(1024 * 1024, 0)).toBe(true)
    flow.sendAgain(900 * 1024)
    expect([flow.admits(1024 * 1024, 0), flow.admits(124 * 1024, 0), flow.batchBytes]).toEqual([false, true, 31 * 1024])
  })

  it('does not limit what is under way where nothing can be sent again', () => {
    const flow = new Flow({ window: 8 * 1024 * 1024, batch: 1024 * 1024, resumable: false })
    expect([flow.admits(8 * 1024 * 1024, 0), flow.admits(8 * 1024 * 1024 + 1, 0), flow.batchBytes]).toEqual([true, false, 1024 * 1024])
  })
})

describe('a link that does not come back', () => {
  it('leaves the guest where it is when the time to wait is over, and takes no longer', async () => {
    const exchange = new Exchange(() => [{ cutAtWrite: 5 }, {}])
    const clock = new VirtualClock()
    const begin = clock.now()
    const going = over(exchange, { clock, limits: { resumeWaitMs: 5_000 } })
    exchange.down = true
    const run = await going
    expect([run.sent?.end, codeOf(run.sent?.why), run.source.state]).toEqual(['kept', 'LINK_LOST', 'running'])
    expect([run.got?.end, codeOf(run.got?.why), run.target.state]).toEqual(['dropped', 'LINK_LOST', 'destroyed'])
    expect(run.events.filter(({ type }) => type === 'link-lost')).toHaveLength(1)
    expect(clock.now() - begin).toBeLessThan(12_000)
  })

  it('after the hand-over leaves it undecided', async () => {
    let seen = 0
    for (let n = 5; n < 24; n += 1) {
      const exchange = new Exchange(() => [{}, { cutAtWrite: n, loses: 'what was not read' }])
      const going = over(exchange, { limits: { resumeWaitMs: 2_000 }, memory: noise(60_000) })
      exchange.down = true
      const run = await going
      expectSafe(run)
      if (run.sent?.end === 'undecided') seen += 1
    }
    expect(seen).toBeGreaterThan(0)
  })

  it('does not keep anybody who gives up from doing so at once', async () => {
    const abort = new AbortController()
    const exchange = new Exchange(() => [{ cutAtWrite: 5 }, {}])
    const clock = new VirtualClock()
    const begin = clock.now()
    const going = over(exchange, { clock, limits: { resumeWaitMs: 3_000_000, silenceMs: 600_000 }, signals: { sender: abort.signal, receiver: abort.signal } })
    exchange.down = true
    void clock.sleep(1_000).then(() => abort.abort(new Error('enough')))
    const run = await going
    expect([run.source.state, run.target.state]).toEqual(['running', 'destroyed'])
    expect(clock.now() - begin).toBeLessThan(30_000)
  })
})

describe('a stranger who calls while the peer is away', () => {
  const callWith = async (say: (hello: BodyOf<'hello'>) => BodyOf<'hello'>): Promise<{ readonly run: Migration; readonly answers: string[] }> => {
    const exchange = new Exchange((n) => [n === 0 ? { cutAtWrite: 5 } : {}, {}])
    const stranger = memoryLink()
    const answers: string[] = []
    const dial = exchange.dial.bind(exchange)
    let calls = 0
    exchange.dial = async () => {
      calls += 1
      if (calls === 2) {
        exchange.call(stranger.receiver)
        const hello: BodyOf<'hello'> = {
          magic: Uint8Array.from([0x89, 0x78, 0x72, 0x77, 13, 10, 26, 10]), minVersion: 1, maxVersion: 1, role: 1, resuming: 1, can: 7, must: 0,
          session: new Uint8Array(16), nonce: noise(32), window: 1 << 23, batch: 1 << 20, names: ['migrate'],
        }
        await stranger.sender.write(encodeFrame('hello', say(hello), 0))
        const answer = await readFrame(stranger.sender, 'greeting')
        answers.push(answer?.name === 'abort' ? answer.body.code : String(answer?.name))
        if (answer?.name === 'welcome') {
          await stranger.sender.write(encodeFrame('resume', { next: 1, token: noise(32) }, 0))
          const last = await readFrame(stranger.sender, 'greeting')
          answers.push(last?.name === 'abort' ? last.body.code : String(last?.name))
        }
      }
      return dial()
    }
    let session = new Uint8Array(0)
    const random = (length: number): Uint8Array => {
      const bytes = noise(length, 77)
      if (length === 16) session = bytes as typeof session
      return bytes
    }
    await exchange.dial()
    const first = await exchange.accept()
    const run = await migrate({
      link: { sender: (exchange.links[0] as { sender: typeof first }).sender, receiver: first, counts: () => ({ sender: 0, receiver: 0, senderBytes: 0, receiverBytes: 0 }), cut: () => undefined },
      options: (side) => ({ limits, again: (signal) => (side === 'sender' ? exchange.dial() : exchange.accept(signal)), random }),
    })
    expect(session).toHaveLength(16)
    return { run, answers }
  }

  it.each<[string, (hello: BodyOf<'hello'>) => BodyOf<'hello'>, string[]]>([
    ['for a new session is told to come later', (hello) => ({ ...hello, resuming: 0 }), ['SESSION_BUSY']],
    ['for another session is told that there is none', (hello) => hello, ['SESSION_GONE']],
    ['for this session needs its token', (hello) => ({ ...hello, session: noise(16, 77) }), ['welcome', 'SESSION_TOKEN']],
  ])('%s, and the migration goes on', async (_, say, wanted) => {
    const { run, answers } = await callWith(say)
    expect(answers).toEqual(wanted)
    expect([run.sent?.end, run.got?.end, isWhole(run)]).toEqual(['moved', 'running', true])
  })
})

describe('a peer that was started anew', () => {
  it('says that it knows nothing of the session, and that is the end', async () => {
    const exchange = new Exchange((n) => [n === 0 ? { cutAtWrite: 5 } : {}, {}])
    await exchange.dial()
    const first = await exchange.accept()
    const again = memoryLink()
    const answer = async (): Promise<void> => {
      await readFrame(again.receiver, 'greeting')
      await again.receiver.write(encodeFrame('abort', { code: 'SESSION_GONE', message: 'never heard of it' }, 1))
    }
    const run = await migrate({
      link: { sender: (exchange.links[0] as { sender: typeof first }).sender, receiver: first, counts: () => ({ sender: 0, receiver: 0, senderBytes: 0, receiverBytes: 0 }), cut: () => undefined },
      options: (side) => ({ limits, ...(side === 'sender' ? { again: () => (void answer(), Promise.resolve(again.sender)) } : { again: () => new Promise(() => undefined) }), ...(side === 'receiver' ? { limits: { ...limits, resumeWaitMs: 1 }, again: () => Promise.reject(new Error('nobody')) } : {}) }),
    })
    expect(run.sent?.end).toBe('kept')
    expect(run.sent?.why).toMatchObject({ code: 'SESSION_PEER_ABORTED', message: 'the peer gave up: SESSION_GONE: never heard of it' })
    expect(run.source.state).toBe('running')
  })
})

describe('somebody else who answers in place of the peer', () => {
  it('is found out by the token', async () => {
    const exchange = new Exchange((n) => [n === 0 ? { cutAtWrite: 5 } : {}, {}])
    await exchange.dial()
    const first = await exchange.accept()
    const other = memoryLink()
    const answer = async (): Promise<void> => {
      const hello = (await readFrame(other.receiver, 'greeting')) as { readonly body: BodyOf<'hello'> }
      const { magic, minVersion, maxVersion, can, must, session, nonce, window, batch } = hello.body
      await other.receiver.write(encodeFrame('welcome', { magic, minVersion, maxVersion, can, must, session, nonce, window, batch, role: 2, resuming: 1, version: 1, next: 1, offset: 0, token: noise(32), names: [] }, 0))
    }
    const run = await migrate({
      link: { sender: (exchange.links[0] as { sender: typeof first }).sender, receiver: first, counts: () => ({ sender: 0, receiver: 0, senderBytes: 0, receiverBytes: 0 }), cut: () => undefined },
      options: (side) => (side === 'sender' ? { limits, again: () => (void answer(), Promise.resolve(other.sender)) } : { limits: { ...limits, resumeWaitMs: 1 }, again: () => Promise.reject(new Error('nobody')) }),
    })
    expect([run.sent?.end, codeOf(run.sent?.why), run.source.state]).toEqual(['kept', 'SESSION_TOKEN', 'running'])
  })
})

describe('frames that are kept to be sent again', () => {
  it('go when they are acknowledged, and cannot be asked for any more', () => {
    const log = new SendLog()
    log.add('yours', {}, 0)
    log.add('bye', {}, 10)
    expect(log.from(1).map(({ number }) => number)).toEqual([1, 2])
    log.acknowledged(1)
    expect([log.bytes, log.isEmpty, log.from(2).length]).toEqual([10, false, 1])
    expect(() => log.from(1)).toThrow(expect.objectContaining({ code: 'SESSION_GONE' }) as Error)
    expect(() => log.from(4)).toThrow(expect.objectContaining({ code: 'SESSION_GONE' }) as Error)
    expect(log.from(3)).toEqual([])
    expect(log.isEmpty).toBe(true)
  })
})
