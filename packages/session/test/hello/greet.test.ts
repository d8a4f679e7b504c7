import { isXrError } from '@xen-replication/errors'
import { encodeFrame, openReceiver, openSender, readFrame, restoresWithoutHoles, sessionOptions, type BodyOf, type Compressor, type OpenOptions, type Session } from '@xen-replication/session'
import type { Channel } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { checkGreeting, chosenCompressor, commonVersion } from '../../src/hello/agreement.ts'
import { capabilities, namesOf, requireCapabilities } from '../../src/hello/capability.ts'
import { MAGIC } from '../../src/frame/hello.ts'
import { isToken, sessionKey, signToken } from '../../src/hello/token.ts'
import { memoryLink } from '../memory-link.ts'
import { noise } from '../pair.ts'
import { VirtualClock } from '../virtual-clock.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))

async function meet(sender: Partial<OpenOptions>, receiver: Partial<OpenOptions>): Promise<readonly [Session | string, Session | string]> {
  const link = memoryLink()
  const clock = new VirtualClock()
  const base = { clock, purpose: 'migrate', compression: 'none' } as const
  const code = (error: unknown): string => `${codeOf(error)}: ${(error as Error).message}`
  const both = await Promise.all([
    openSender({ ...base, channel: link.sender, ...sender }).catch(code),
    openReceiver({ ...base, channel: link.receiver, ...receiver }).catch(code),
  ])
  await Promise.all(both.map((one) => (typeof one === 'string' ? Promise.resolve() : one.end())))
  return both
}

const fake = (name: string): Compressor => ({ name, compress: (bytes) => bytes, decompress: (bytes) => bytes })

describe('a greeting', () => {
  it('agrees on the same session and key', async () => {
    const [a, b] = (await meet({}, {})) as [Session, Session]
    expect(Buffer.compare(a.agreement.session, b.agreement.session)).toBe(0)
    expect(Buffer.from(a.agreement.key).toString('hex')).toBe(Buffer.from(b.agreement.key).toString('hex'))
    expect([a.agreement.role, b.agreement.role, a.agreement.version]).toEqual(['sender', 'receiver', 1])
    expect(namesOf(a.agreement.can)).toEqual(['zeros', 'replication', 'holes'])
  })

  it('agrees on the smaller batch and the window of the receiver', async () => {
    const [a, b] = (await meet({ limits: { batchBytes: 8192 } }, { limits: { windowBytes: 2 * 1024 * 1024 } })) as [Session, Session]
    expect([a.agreement.batch, b.agreement.batch, a.agreement.window, b.agreement.window]).toEqual([8192, 8192, 2 * 1024 * 1024, 2 * 1024 * 1024])
  })

  it('agrees on the first compression of the sender that the receiver has', async () => {
    const all = [fake('b'), fake('a'), fake('zstd')]
    const [a, b] = (await meet({ compression: 'auto', compressors: all }, { compression: 'auto', compressors: [fake('a'), fake('b')] })) as [Session, Session]
    expect([a.agreement.compressor?.name, b.agreement.compressor?.name]).toEqual(['b', 'b'])
  })

  it('goes on without compression when there is none in common, unless one was asked for by name', async () => {
    const [a] = (await meet({ compression: 'auto', compressors: [fake('a')] }, { compression: 'auto', compressors: [fake('b')] })) as [Session, Session]
    expect(a.agreement.compressor).toBeUndefined()
    const [named, there] = await meet({ compression: 'a', compressors: [fake('a')] }, { compression: 'auto' })
    expect(named).toContain("SESSION_COMPRESSION: the peer cannot do 'a'")
    expect(there).not.toBeTypeOf('string')
  })

  it('for different purposes is refused on both sides, with the same reason', async () => {
    const [a, b] = await meet({ purpose: 'migrate' }, { purpose: 'remus' })
    expect(b).toBe('SESSION_ROLE: the peer wants to migrate, this side is here to remus')
    expect(a).toBe('SESSION_PEER_ABORTED: the peer gave up: SESSION_ROLE: the peer wants to migrate, this side is here to remus')
  })

  it('with a peer that lacks what is needed is refused on both sides', async () => {
    const [a, b] = await meet({ must: ['resume'] }, {})
    expect(b).toBe('SESSION_CAPABILITY: this side cannot do resume')
    expect(a).toBe('SESSION_PEER_ABORTED: the peer gave up: SESSION_CAPABILITY: this side cannot do resume')
    const [c, d] = await meet({}, { must: ['resume'] })
    expect(d).toBe('SESSION_CAPABILITY: the peer cannot do resume')
    expect(c).toContain('SESSION_PEER_ABORTED')
  })

  it('of two senders is refused', async () => {
    const link = memoryLink()
    const clock = new VirtualClock()
    const both = await Promise.all([link.sender, link.receiver].map((channel) => openSender({ channel, clock, purpose: 'migrate' }).catch(codeOf)))
    expect(both).toEqual(['SESSION_ROLE', 'SESSION_ROLE'])
  })

  it('of two receivers is over when the time is', async () => {
    const link = memoryLink()
    const clock = new VirtualClock()
    const both = await Promise.all([link.sender, link.receiver].map((channel) => openReceiver({ channel, clock, purpose: 'migrate' }).catch(codeOf)))
    expect(both[0]).toMatch(/^LINK_(TIMEOUT|LOST)$/)
  })

  it('ends when it is aborted, with the reason, and lets the channel go', async () => {
    const link = memoryLink()
    const abort = new AbortController()
    const open = openSender({ channel: link.sender, clock: new VirtualClock(), purpose: 'migrate', signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(open).rejects.toThrow('enough')
    await expect(link.sender.write([])).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })

  it('with options that cannot be is refused before anything is said', async () => {
    const link = memoryLink()
    await expect(openSender({ channel: link.sender, clock: new VirtualClock(), purpose: 'migrate', compression: 'lz4' })).rejects.toMatchObject({ code: 'SESSION_COMPRESSION' })
    expect(link.counts().sender).toBe(0)
  })
})

/** Says these frames as the peer of a side that is opened, and gives back how that ends. */
async function against(side: 'sender' | 'receiver', say: (channel: Channel) => Promise<void>): Promise<string> {
  const link = memoryLink()
  const clock = new VirtualClock()
  const [open, ours, theirs] = side === 'sender' ? [openSender, link.sender, link.receiver] : [openReceiver, link.receiver, link.sender]
  const opened = open({ channel: ours, clock, purpose: 'migrate' }).then(() => 'opened', codeOf)
  await say(theirs)
  return opened
}

const greetingBody = { magic: MAGIC, minVersion: 1, maxVersion: 1, can: 0, must: 0, session: noise(16), nonce: noise(32), window: 8 * 1024 * 1024, batch: 65_536 }
const hello: BodyOf<'hello'> = { ...greetingBody, role: 1, resuming: 0, names: ['migrate'] }
const welcome: BodyOf<'welcome'> = { ...greetingBody, role: 2, resuming: 0, version: 1, next: 1, offset: 0, token: new Uint8Array(32), names: [] }

describe('a peer that greets in a wrong way', () => {
  it.each<[string, Partial<BodyOf<'hello'>>, string]>([
    ['in nothing', {}, 'opened'],
    ['without the magic bytes', { magic: noise(8) }, 'SESSION_NOT_XR'],
    ['as a receiver', { role: 2 }, 'SESSION_ROLE'],
    ['with version 0', { minVersion: 0 }, 'SESSION_MALFORMED'],
    ['with versions the wrong way round', { minVersion: 3, maxVersion: 2 }, 'SESSION_MALFORMED'],
    ['with later versions alone', { minVersion: 2, maxVersion: 9 }, 'SESSION_VERSION'],
    ['with batches of 4 GiB', { batch: 0xffffffff }, 'SESSION_MALFORMED'],
    ['with batches of nothing', { batch: 0 }, 'SESSION_MALFORMED'],
    ['with a window that holds no batch', { window: 4096 }, 'SESSION_MALFORMED'],
    ['insisting on what nobody knows', { must: 0x80000000 }, 'SESSION_CAPABILITY'],
    ['for nothing', { names: [] }, 'SESSION_ROLE'],
    ['to go on with a session that is no more', { resuming: 1 }, 'SESSION_GONE'],
  ])('%s (hello) ends with its code', async (_, change, code) => {
    expect(await against('receiver', (channel) => channel.write(encodeFrame('hello', { ...hello, ...change }, 0)))).toBe(code)
  })

  it.each<[string, Partial<BodyOf<'welcome'>>, string]>([
    ['as a sender', { role: 1 }, 'SESSION_ROLE'],
    ['with a version that is not the highest in common', { version: 0 }, 'SESSION_MALFORMED'],
    ['as if going on', { resuming: 1 }, 'SESSION_MALFORMED'],
    ['for another session', { session: noise(16, 9) }, 'SESSION_MALFORMED'],
    ['with a compression that was not offered', { names: ['lz4'] }, 'SESSION_MALFORMED'],
    ['in nothing', {}, 'opened'],
  ])('%s (welcome) ends with its code', async (_, change, code) => {
    const ends = await against('sender', async (channel) => {
      const frame = await readFrame(channel, 'greeting')
      const { session } = (frame as { body: BodyOf<'hello'> }).body
      await channel.write(encodeFrame('welcome', { ...welcome, session, ...change }, 0))
    })
    expect(ends).toBe(code)
  })

  it('with another word than is due ends with its code', async () => {
    expect(await against('receiver', (channel) => channel.write(encodeFrame('welcome', welcome, 0)))).toBe('SESSION_UNEXPECTED')
    expect(await against('receiver', (channel) => channel.write(encodeFrame('yours', {}, 1)))).toBe('SESSION_NOT_XR')
  })

  it('by closing the connection is told from one that is lost', async () => {
    expect(await against('receiver', (channel) => channel.end())).toBe('LINK_LOST')
    expect(await against('receiver', (channel) => channel.close())).toBe('LINK_LOST')
  })

  it('and never comes to an end has ten seconds', async () => {
    expect(await against('receiver', (channel) => channel.write([encodeFrame('hello', hello, 0)[0] as Uint8Array]))).toBe('LINK_TIMEOUT')
  })
})

describe('the version of two sides', () => {
  const range = (minVersion: number, maxVersion: number): { minVersion: number; maxVersion: number } => ({ minVersion, maxVersion })
  it.each([
    [range(1, 1), range(1, 1), 1],
    [range(1, 5), range(2, 3), 3],
    [range(2, 3), range(1, 5), 3],
    [range(1, 4), range(4, 9), 4],
  ])('that speak %o and %o is %i', (ours, theirs, version) => {
    expect(commonVersion(ours, theirs)).toBe(version)
  })

  it('tells which of the two is too old', () => {
    expect(() => commonVersion(range(1, 1), range(2, 2))).toThrow(expect.objectContaining({ hint: 'use a newer xr on this host' }) as Error)
    expect(() => commonVersion(range(2, 2), range(1, 1))).toThrow(expect.objectContaining({ hint: 'use a newer xr on the other host' }) as Error)
  })
})

describe('capabilities', () => {
  it('are named in the error when they are known', () => {
    expect(() => requireCapabilities(capabilities.zeros, 0, 'x')).toThrow('x cannot do zeros')
    expect(() => requireCapabilities(0x80000000, 1, 'x')).toThrow('x cannot do what bits 0x80000000 stand for')
  })

  it('that the peer has and we do not know are no harm', () => {
    expect(() => checkGreeting({ ...hello, can: 0xffffffff }, 'sender', 0, capabilities.resume)).not.toThrow()
  })
})

describe('holes of the guest', () => {
  it('are left out for a peer that says it restores without them, and for no other', async () => {
    const [{ agreement }] = (await meet({}, {})) as [Session, Session]
    expect(restoresWithoutHoles(agreement)).toBe(true)
    expect(restoresWithoutHoles({ ...agreement, can: agreement.can & ~capabilities.holes })).toBe(false)
  })
})

describe('a compression that was chosen', () => {
  it('is one at most', () => {
    expect(() => chosenCompressor(['a', 'b'], ['a', 'b'], 'auto', [])).toThrow(expect.objectContaining({ code: 'SESSION_MALFORMED' }) as Error)
  })
})

describe('a token', () => {
  const key = sessionKey(noise(16), [noise(32, 2), noise(32, 3)])
  const facts = { side: 'sender', session: noise(16), next: 5, offset: 77, nonces: [noise(32, 4), noise(32, 5)] } as const

  it('is good for what it was made for', () => {
    expect(isToken(key, facts, signToken(key, facts))).toBe(true)
  })

  it.each([
    ['another side', { side: 'receiver' }], ['another session', { session: noise(16, 9) }], ['another frame', { next: 6 }], ['another offset', { offset: 78 }],
    ['another attempt', { nonces: [noise(32, 4), noise(32, 6)] }], ['an attempt of the other side', { nonces: [noise(32, 6), noise(32, 5)] }],
  ] as const)('is no good for %s', (_, change) => {
    expect(isToken(key, { ...facts, ...change }, signToken(key, facts))).toBe(false)
  })

  it('is no good with another key or length', () => {
    expect(isToken(noise(32), facts, signToken(key, facts))).toBe(false)
    expect(isToken(key, facts, signToken(key, facts).subarray(1))).toBe(false)
  })
})

describe('options of a session', () => {
  it.each([[{ heartbeatMs: 0 }], [{ batchBytes: 1.5 }], [{ silenceMs: Number.NaN }], [{ heartbeatMs: 6000 }], [{ windowBytes: 65_536 }]])('%o are refused', (given) => {
    expect(() => sessionOptions(given)).toThrow(expect.objectContaining({ code: 'SESSION_OPTION' }) as Error)
  })

  it('have defaults', () => {
    expect(sessionOptions()).toMatchObject({ heartbeatMs: 1000, resumeWaitMs: 30_000 })
  })
})
