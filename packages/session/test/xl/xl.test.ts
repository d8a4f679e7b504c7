import { isXrError, XrError } from '@xen-replication/errors'
import { xlMessages } from '@xen-replication/format'
import { LinkError, type Channel } from '@xen-replication/plugin-api'
import { receiveFromXl, sendToXl, xlReceiveTable, xlSendTable, type ReceiveResult, type XlSendResult } from '@xen-replication/session'
import { describe, expect, it } from 'vitest'
import { memoryLink, type Faults, type MemoryLink } from '../memory-link.ts'
import { noise, SimulatedGuest } from '../pair.ts'
import { VirtualClock } from '../virtual-clock.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))
const IMAGE = 40_000

class XlGuest extends SimulatedGuest {
  name = 'guest'

  override async save(sink: { write(parts: readonly Uint8Array[]): Promise<void> }): Promise<void> {
    if (this.fails.has('answer')) throw new XrError('BACKEND_SUSPEND_TIMEOUT', 'the guest does not answer')
    await super.save(sink)
  }

  /** As a restorer does: it knows from the bytes where they end. */
  override async build(source: { read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined }): Promise<void> {
    this.state = 'paused'
    this.name = 'guest--incoming'
    for (let left = IMAGE; left > 0; ) {
      const part = await source.read(Math.min(left, 7000))
      if (part === undefined) throw new XrError('FMT_TRUNCATED', 'the stream ended')
      left -= part.length
    }
    this.log.push('build')
    if (this.fails.has('build')) throw new Error('build fails')
  }

  override async start(): Promise<void> {
    this.name = 'guest'
    await super.start()
  }

  rename(to: 'away' | 'back'): Promise<void> {
    this.log.push(`rename ${to}`)
    if (this.fails.has(`rename ${to}`)) return Promise.reject(new Error(`rename ${to} fails`))
    this.name = to === 'away' ? 'guest--migratedaway' : 'guest'
    return Promise.resolve()
  }
}

interface Run {
  readonly source: XlGuest
  readonly target: XlGuest
  readonly sent: XlSendResult
  readonly got: ReceiveResult
}

async function migrate(link: MemoryLink = memoryLink(), sourceFails: readonly string[] = [], targetFails: readonly string[] = [], signal = new AbortController().signal): Promise<Run> {
  const clock = new VirtualClock()
  const source = new XlGuest('running', noise(IMAGE), sourceFails)
  const target = new XlGuest('none', noise(0), targetFails)
  const [sent, got] = await Promise.all([sendToXl(link.sender, source, signal, { clock }), receiveFromXl(link.receiver, target, new AbortController().signal, { clock })])
  return { source, target, sent, got }
}

/** Keeps what goes through. */
function recorded(link: MemoryLink): { readonly link: MemoryLink; readonly forth: Uint8Array[]; readonly back: Uint8Array[] } {
  const forth: Uint8Array[] = []
  const back: Uint8Array[] = []
  const spy = (channel: Channel, into: Uint8Array[]): Channel => ({
    write: (parts) => (into.push(...parts.map((part) => part.slice())), channel.write(parts)),
    read: (max) => channel.read(max),
    end: () => channel.end(),
    close: () => channel.close(),
  })
  return { link: { ...link, sender: spy(link.sender, forth), receiver: spy(link.receiver, back) }, forth, back }
}

const all = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1')

describe('a migration as xl does it', () => {
  it('moves the guest, byte for byte as xl says it', async () => {
    const { link, forth, back } = recorded(memoryLink())
    const { source, target, sent, got } = await migrate(link)
    expect([sent, got]).toEqual([{ end: 'moved', why: undefined, trouble: undefined }, { end: 'running', why: undefined, trouble: undefined }])
    expect([source.state, target.state, target.name]).toEqual(['destroyed', 'running', 'guest'])
    expect(source.log).toEqual(['save', 'rename away', 'destroy'])
    expect(all(back)).toBe('xl migration receiver ready, send binary domain data.\ndomain received, ready to unpause\0my copy unpause results are as follows\0\0')
    expect(all(forth)).toBe(`${Buffer.from(noise(IMAGE)).toString('latin1')}domain is yours, you are cleared to unpause\0`)
  })

  it('gives the guest back byte for byte as xl does when it cannot be started', async () => {
    const { link, back } = recorded(memoryLink())
    const { source, target, sent, got } = await migrate(link, [], ['start'])
    expect([sent.end, codeOf(sent.why), source.state, source.name, got.end, target.state]).toEqual(['kept', 'SESSION_GIVEN_BACK', 'running', 'guest', 'dropped', 'destroyed'])
    expect(all(back).slice(-84)).toBe('my copy unpause results are as follows\0\x01domain is yours, you are cleared to unpause\0')
    expect(source.log).toEqual(['save', 'rename away', 'rename back', 'resume'])
  })
})

describe('what fails on this side', () => {
  it.each<[string, string[], string[], string, string, string, string, string]>([
    // what, source fails, target fails, sender ends, source is, receiver ends, target is, name of the source
    ['saving', ['save'], [], 'kept', 'running', 'dropped', 'destroyed', 'guest'],
    ['suspending: the guest never stood still and is not resumed', ['answer'], [], 'untouched', 'running', 'dropped', 'destroyed', 'guest'],
    ['renaming', ['rename away'], [], 'kept', 'running', 'dropped', 'destroyed', 'guest'],
    ['destroying in the end', ['destroy'], [], 'moved', 'suspended', 'running', 'running', 'guest--migratedaway'],
    ['building', [], ['build'], 'kept', 'running', 'dropped', 'destroyed', 'guest'],
    ['building, and destroying what there is', [], ['build', 'destroy'], 'kept', 'running', 'stuck', 'paused', 'guest'],
    ['starting, and destroying after it', [], ['start', 'destroy'], 'undecided', 'suspended', 'stuck', 'paused', 'guest--migratedaway'],
    ['starting, and renaming back', ['rename back'], ['start'], 'kept', 'running', 'dropped', 'destroyed', 'guest--migratedaway'],
  ])('%s', async (_, sourceFails, targetFails, end, source, got, target, name) => {
    const run = await migrate(memoryLink(), sourceFails, targetFails)
    expect([run.sent.end, run.source.state, run.got.end, run.target.state, run.source.name]).toEqual([end, source, got, target, name])
    if (end === 'untouched') expect(run.source.log).toEqual([])
  })

  it('giving up before the hand-over keeps the guest', async () => {
    const { sent, source } = await migrate(memoryLink(), [], [], AbortSignal.abort(new Error('enough')))
    expect([sent.end, String(sent.why), source.state]).toEqual(['untouched', 'Error: enough', 'running'])
  })
})

describe('an operator who gives up while the stream is under way', () => {
  it('does not wait for a peer that does not read, or does not write', async () => {
    const abort = new AbortController()
    const clock = new VirtualClock()
    const there = memoryLink({ capacity: 10 })
    const source = new XlGuest('running', noise(IMAGE))
    const sending = sendToXl(there.sender, source, abort.signal, { clock })
    const here = memoryLink()
    const target = new XlGuest('none', noise(0))
    const receiving = receiveFromXl(here.receiver, target, abort.signal, { clock })
    await there.receiver.write([xlMessages.banner])
    await clock.sleep(1_000)
    abort.abort(new Error('enough'))
    const [sent, got] = await Promise.all([sending, receiving])
    expect([sent.end, String(sent.why), source.state]).toEqual(['kept', 'Error: enough', 'running'])
    expect([got.end, String(got.why), target.state]).toEqual(['dropped', 'Error: enough', 'destroyed'])
  })

  it('is heard before anything of it was written or read', async () => {
    const target = new XlGuest('none', noise(0))
    const got = await receiveFromXl(memoryLink().receiver, target, AbortSignal.abort('stop'), { clock: new VirtualClock() })
    expect([got.end, target.state]).toEqual(['dropped', 'destroyed'])
  })
})

function expectSafe({ source, target, sent, got }: Run): void {
  const running = [source, target].filter(({ state }) => state === 'running')
  expect(running.length, `${source.state} ${target.state}`).toBeLessThanOrEqual(1)
  if (running.length === 0) expect(sent.end).toBe('undecided')
  expect(source.state).toBe({ moved: 'destroyed', kept: 'running', untouched: 'running', undecided: 'suspended' }[sent.end])
  expect(target.state).toBe(got.end === 'running' ? 'running' : 'destroyed')
  if (sent.end === 'undecided') {
    expect(source.name).toBe('guest--migratedaway')
    expect(sent.why).toMatchObject({ code: 'SESSION_UNDECIDED', hint: expect.stringContaining('NAME--migratedaway') as string })
  }
}

/** Writes of the sender: two halves of the image, permission. Of the receiver: banner, ready, report and status. */
describe('each message lost', () => {
  it.each<[string, Faults, Faults, string, string]>([
    ['the banner', {}, { cutAtWrite: 0 }, 'untouched', 'dropped'],
    ['the first half of the stream', { cutAtWrite: 0 }, {}, 'kept', 'dropped'],
    ['the second half of the stream', { cutAtWrite: 1 }, {}, 'kept', 'dropped'],
    ['ready', {}, { cutAtWrite: 1 }, 'kept', 'dropped'],
    ['permission', { cutAtWrite: 2 }, {}, 'undecided', 'dropped'],
    ['report and status', {}, { cutAtWrite: 2 }, 'undecided', 'running'],
    ['status alone', {}, { cutAtByte: 54 + 34 + 39 }, 'undecided', 'running'],
    ['nothing at all', {}, {}, 'moved', 'running'],
  ])('%s', async (_, there, back, end, got) => {
    for (const as of ['error', 'silence'] as const) {
      const run = await migrate(memoryLink({ ...there, as }, { ...back, as }))
      expectSafe(run)
      expect([run.sent.end, run.got.end], as).toEqual([end, got])
    }
  })

  it.each<[string, Faults, Faults, string, string]>([
    ['report of a failure', {}, { cutAtWrite: 2 }, 'undecided', 'dropped'],
    ['permission given back', {}, { cutAtWrite: 3 }, 'undecided', 'dropped'],
    ['nothing', {}, {}, 'kept', 'dropped'],
  ])('where the copy cannot be started: %s', async (_, there, back, end, got) => {
    const run = await migrate(memoryLink(there, back), [], ['start'])
    expectSafe(run)
    expect([run.sent.end, run.got.end]).toEqual([end, got])
  })

  it('or cut within, never leaves two guests that run', async () => {
    for (let n = 0; n < 54 + 34 + 40; n += 1) expectSafe(await migrate(memoryLink({}, { cutAtByte: n, piece: () => 5 })))
    for (let n = 0; n < 44; n += 1) expectSafe(await migrate(memoryLink({ cutAtByte: IMAGE + n, piece: () => 1000 })))
  })
})

describe('a peer that says something else', () => {
  const other = async (say: (channel: Channel) => Promise<void>): Promise<XlSendResult> => {
    const link = memoryLink()
    const sent = sendToXl(link.sender, new XlGuest('running', noise(IMAGE)), new AbortController().signal, { clock: new VirtualClock() })
    await say(link.receiver)
    return sent
  }

  it('than the banner leaves the guest untouched', async () => {
    const sent = await other((channel) => channel.write([Buffer.from('Permission denied (publickey,password).\r\n                   ')]))
    expect([sent.end, codeOf(sent.why)]).toEqual(['untouched', 'FMT_HANDSHAKE'])
    expect(String(sent.why)).toContain('Permission denied')
  })

  it('than ready has the guest go on', async () => {
    const sent = await other((channel) => channel.write([xlMessages.banner, xlMessages.report]))
    expect([sent.end, codeOf(sent.why)]).toEqual(['kept', 'FMT_HANDSHAKE'])
  })

  it('than the report, or never anything, leaves it undecided', async () => {
    const sent = await other((channel) => channel.write([xlMessages.banner, xlMessages.ready, xlMessages.ready, Uint8Array.of(0, 0, 0, 0, 0)]))
    expect([sent.end, codeOf((sent.why as Error).cause)]).toEqual(['undecided', 'FMT_HANDSHAKE'])
    const silent = await other((channel) => channel.write([xlMessages.banner, xlMessages.ready]))
    expect([silent.end, codeOf((silent.why as Error).cause)]).toEqual(['undecided', 'LINK_TIMEOUT'])
  })

  it('than a status of nought, as xl tells failures, is believed to have failed', async () => {
    const sent = await other((channel) => channel.write([xlMessages.banner, xlMessages.ready, xlMessages.report, Uint8Array.of(0xff), xlMessages.permission]))
    expect([sent.end, String(sent.why)]).toEqual(['kept', 'SessionError: the peer could not let the guest run (status 255)'])
  })

  it('than permission gets the report of a failure and the guest back', async () => {
    const link = memoryLink()
    const target = new XlGuest('none', noise(0))
    const got = receiveFromXl(link.receiver, target, new AbortController().signal, { clock: new VirtualClock() })
    await link.sender.write([noise(IMAGE), Buffer.from('no, I have thought better of it, keep it to yourself')])
    const heard = await hearAll(link.sender)
    expect([(await got).end, target.state]).toEqual(['dropped', 'destroyed'])
    expect(heard.slice(-84)).toBe('my copy unpause results are as follows\0\x01domain is yours, you are cleared to unpause\0')
  })

  it('and closes at once is told from one that is lost', async () => {
    const sent = await other(async (channel) => {
      await channel.write([xlMessages.banner])
      await channel.end()
    })
    expect([sent.end, codeOf(sent.why)]).toEqual(['kept', 'LINK_LOST'])
    expect(sent.why).toBeInstanceOf(LinkError)
  })
})

async function hearAll(channel: Channel): Promise<string> {
  const parts: Uint8Array[] = []
  for (let part = await channel.read(999); part !== undefined; part = await channel.read(999)) parts.push(part.slice())
  return all(parts)
}

describe('the tables of the xl wire', () => {
  it('have an answer to a lost link in every state in which something is waited for', () => {
    for (const state of ['greeting', 'saving', 'offered', 'renaming', 'handed', 'refused'] as const) expect(xlSendTable[state]).toHaveProperty('peer-lost')
    for (const state of ['building', 'offering'] as const) expect(xlReceiveTable[state]).toHaveProperty('peer-lost')
  })

})
