import { isXrError } from '@xen-replication/errors'
import { encodeFrame, readFrame, receiveTable, sendTable, type BodyOf, type FrameName, type SessionEvent } from '@xen-replication/session'
import type { Channel } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { sessionKey } from '../src/hello/token.ts'
import { StreamDigest } from '../src/stream/stream-digest.ts'
import { memoryLink, type MemoryLink } from './memory-link.ts'
import { migrate, noise } from './pair.ts'
import { VirtualClock } from './virtual-clock.ts'

const codeOf = (error: unknown): string => (isXrError(error) ? error.code : String(error))

describe('a guest that cannot be saved', () => {
  it('goes on here, and the receiver hears why', async () => {
    const { source, target, sent, got } = await migrate({ sourceFails: ['save'] })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['kept', 'running', 'dropped', 'destroyed'])
    expect(String(sent?.why)).toContain('save fails')
    expect(got?.why).toMatchObject({ code: 'SESSION_PEER_ABORTED', message: 'the peer gave up: BACKEND_TEST: save fails' })
  })

  it('and not be resumed either, says both', async () => {
    const { sent } = await migrate({ sourceFails: ['save', 'resume'] })
    expect([sent?.end, String(sent?.why), String(sent?.trouble)]).toEqual(['kept', 'Error: save fails', 'Error: resume fails'])
  })
})

describe('a guest that cannot be built', () => {
  it('goes on at the sender, which hears why', async () => {
    const { source, target, sent, got } = await migrate({ targetFails: ['build'] })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['kept', 'running', 'dropped', 'destroyed'])
    expect(sent?.why).toMatchObject({ code: 'SESSION_GIVEN_BACK', message: 'the peer gives the guest back: BACKEND_TEST: build fails' })
  })

  it('and whose remains cannot be destroyed goes on at the sender, and is stuck at the receiver', async () => {
    const { source, target, sent, got } = await migrate({ targetFails: ['build', 'destroy'] })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['kept', 'running', 'stuck', 'paused'])
    expect(sent?.why).toMatchObject({ code: 'SESSION_PEER_ABORTED', message: expect.stringContaining('SESSION_LEFT_OVER: the copy cannot be destroyed: BACKEND_TEST') as string })
    expect(String(got?.trouble)).toContain('destroy fails')
  })
})

describe('a guest that cannot be started at the receiver', () => {
  it('goes on at the sender once the copy is destroyed', async () => {
    const { source, target, sent, got } = await migrate({ targetFails: ['start'] })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['kept', 'running', 'dropped', 'destroyed'])
    expect(codeOf(sent?.why)).toBe('SESSION_GIVEN_BACK')
  })

  it('nor destroyed is left to the operator, who is told why', async () => {
    const { source, target, sent, got } = await migrate({ targetFails: ['start', 'destroy'] })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['undecided', 'suspended', 'stuck', 'paused'])
    expect(sent?.why).toMatchObject({ code: 'SESSION_UNDECIDED', message: expect.stringContaining('the copy cannot be destroyed') as string })
  })
})

describe('a guest that cannot be destroyed at the sender', () => {
  it('has moved all the same, and what is left over is told', async () => {
    const { source, target, sent } = await migrate({ sourceFails: ['destroy'] })
    expect([sent?.end, source.state, target.state, String(sent?.trouble)]).toEqual(['moved', 'suspended', 'running', 'Error: destroy fails'])
  })
})

describe('an operator who gives up', () => {
  it.each(['sender', 'receiver'] as const)('at the %s before it begins, keeps the guest where it is', async (side) => {
    const { source, target, sent, got } = await migrate({ signals: { [side]: AbortSignal.abort(new Error('enough')) } })
    expect([sent?.end, source.state, got?.end, target.state]).toEqual(['kept', 'running', 'dropped', 'destroyed'])
    expect(String(side === 'sender' ? sent?.why : got?.why)).toContain('enough')
    expect(codeOf(side === 'sender' ? got?.why : sent?.why)).toBe(side === 'sender' ? 'SESSION_PEER_ABORTED' : 'SESSION_GIVEN_BACK')
  })

  it('with something that is no error is understood', async () => {
    const { sent } = await migrate({ signals: { sender: AbortSignal.abort('stop') } })
    expect(sent?.why).toMatchObject({ message: 'stop', cause: 'stop' })
  })
})

/** The other side of a migration, written out: says and hears frames one by one. */
class Peer {
  readonly channel: Channel
  #number = 0
  #key: Uint8Array = new Uint8Array(0)

  constructor(channel: Channel) {
    this.channel = channel
  }

  async say<N extends FrameName>(name: N, body: BodyOf<N>): Promise<void> {
    const number = ['hello', 'welcome', 'resume', 'ack', 'progress', 'heartbeat'].includes(name) ? 0 : (this.#number += 1)
    await this.channel.write(encodeFrame(name, body, number))
  }

  async hear<N extends FrameName>(name: N): Promise<BodyOf<N>> {
    for (;;) {
      const frame = await readFrame(this.channel, { payload: 1 << 20 })
      if (frame === undefined) throw new Error(`the end came where ${name} was due`)
      if (frame.name === name) return frame.body as BodyOf<N>
    }
  }

  async welcome(): Promise<void> {
    const { magic, minVersion, maxVersion, must, session, nonce, window, batch } = await this.hear('hello')
    await this.say('welcome', { magic, minVersion, maxVersion, can: 0, must, session, nonce, window, batch, role: 2, resuming: 0, version: 1, next: 1, offset: 0, token: new Uint8Array(32), names: [] })
  }

  async hello(): Promise<void> {
    const magic = Uint8Array.from([0x89, 0x78, 0x72, 0x77, 13, 10, 26, 10])
    await this.say('hello', { magic, minVersion: 1, maxVersion: 1, can: 0, must: 0, session: noise(16), nonce: noise(32), window: 1 << 23, batch: 65_536, role: 1, resuming: 0, names: ['migrate'] })
    const { nonce } = await this.hear('welcome')
    this.#key = sessionKey(noise(16), [noise(32), nonce])
  }

  /** Of a stream of no bytes. */
  digest(): Uint8Array {
    return new StreamDigest(this.#key).digest()
  }
}

type Half = Awaited<ReturnType<typeof migrate>>

/** A migration whose other side is written out. */
async function half(side: 'sender' | 'receiver', script: (peer: Peer, link: MemoryLink) => Promise<void>, observe: (event: SessionEvent) => void = () => undefined, memory = noise(20_000)): Promise<Half> {
  const link = memoryLink()
  const clock = new VirtualClock()
  const peer = new Peer(side === 'sender' ? link.receiver : link.sender)
  const apart = memoryLink()
  const run = migrate({
    clock, memory, link: side === 'sender' ? { ...link, receiver: apart.receiver } : { ...link, sender: apart.sender },
    options: (which) => ({ observe, signal: which === side ? new AbortController().signal : AbortSignal.abort(new Error('not here')) }),
  })
  await script(peer, link)
  return run
}

describe('a receiver that does not keep to the protocol', () => {
  it('and says running before anything was handed over is not believed', async () => {
    const { source, sent } = await half('sender', async (peer) => {
      await peer.welcome()
      await peer.say('running', {})
    })
    expect([sent?.end, codeOf(sent?.why), source.state]).toEqual(['kept', 'SESSION_UNEXPECTED', 'running'])
  })

  it('and leaves without a word after the hand-over leaves it undecided', async () => {
    const { source, sent } = await half('sender', async (peer) => {
      await peer.welcome()
      await peer.hear('end')
      await peer.say('received', {})
      await peer.hear('yours')
      await peer.say('bye', {})
      await peer.channel.end()
    })
    expect([sent?.end, codeOf(sent?.why), source.state]).toEqual(['undecided', 'SESSION_UNDECIDED', 'suspended'])
    expect((sent?.why as Error).cause).toMatchObject({ code: 'SESSION_CLOSED' })
  })

  it('and is well but never comes to an end has five minutes, then the guest goes on', async () => {
    const { source, sent } = await half('sender', async (peer) => {
      await peer.welcome()
      await peer.hear('end')
      void beatFor(peer, 320)
    })
    expect([sent?.end, codeOf(sent?.why), source.state]).toEqual(['kept', 'LINK_TIMEOUT', 'running'])
  })

  it('and is well but never says that the guest runs has a minute, then it is undecided', async () => {
    const { source, sent } = await half('sender', async (peer) => {
      await peer.welcome()
      await peer.hear('end')
      await peer.say('received', {})
      await peer.hear('yours')
      void beatFor(peer, 80)
    })
    expect([sent?.end, source.state]).toEqual(['undecided', 'suspended'])
    expect((sent?.why as Error).cause).toMatchObject({ code: 'LINK_TIMEOUT' })
  })

  it.each<[string, (peer: Peer) => Promise<void>, string]>([
    ['acknowledges what was never sent', (peer) => peer.say('ack', { frame: 99, taken: 0 }), 'SESSION_UNEXPECTED'],
    ['has taken what was never sent', (peer) => peer.say('ack', { frame: 0, taken: 1e9 }), 'SESSION_UNEXPECTED'],
    ['sends data itself', (peer) => peer.say('data', { offset: 0, length: 0, unpacked: 0, crc: 0, codec: 0, form: 0, payload: new Uint8Array(0) }), 'SESSION_UNEXPECTED'],
    ['greets once more', (peer) => peer.hear('data').then(() => peer.channel.write(encodeFrame('resume', { next: 1, token: noise(32) }, 0))), 'SESSION_UNEXPECTED'],
    ['leaves out a number', (peer) => peer.channel.write(encodeFrame('received', {}, 2)), 'SESSION_UNEXPECTED'],
    ['says more and more', async (peer) => {
      for (let i = 0; i < 300; i += 1) await peer.say('say', 'hi').catch(() => undefined)
    }, 'SESSION_WINDOW'],
    ['sends rubbish', (peer) => peer.channel.write([new Uint8Array(100)]), 'SESSION_UNKNOWN_FRAME'],
  ])('and %s is told so and left', async (_, misbehave, code) => {
    const heard: string[] = []
    const { source, sent } = await half('sender', async (peer) => {
      await peer.welcome()
      await misbehave(peer)
      heard.push((await peer.hear('abort')).code)
    }, undefined, noise(9_000_000))
    expect([sent?.end, codeOf(sent?.why), source.state]).toEqual(['kept', code, 'running'])
    expect(heard).toEqual([code])
  })
})

async function beatFor(peer: Peer, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    await peer.hear('heartbeat').catch(() => undefined)
    await peer.say('heartbeat', { now: 5, echo: 0 }).catch(() => undefined)
  }
}

describe('a sender that does not keep to the protocol', () => {
  const data = (offset: number, bytes: Uint8Array): BodyOf<'data'> => ({ offset, length: bytes.length, unpacked: bytes.length, crc: 0, codec: 0, form: 0, payload: bytes })

  it.each<[string, (peer: Peer) => Promise<void>, string]>([
    ['hands over what has not come', (peer) => peer.say('yours', {}), 'SESSION_UNEXPECTED'],
    ['damages a batch', (peer) => peer.say('data', data(0, noise(100))), 'SESSION_DAMAGED'],
    ['leaves a gap in the stream', (peer) => peer.say('data', data(5, noise(100))), 'SESSION_UNEXPECTED'],
    ['sends a batch longer than agreed on', (peer) => peer.say('data', data(0, noise(65_537))), 'SESSION_TOO_LARGE'],
    ['sends another digest', (peer) => peer.say('end', { bytes: 0, digest: noise(32) }), 'SESSION_DIGEST'],
    ['sends another length', (peer) => peer.say('end', { bytes: 1, digest: peer.digest() }), 'SESSION_DIGEST'],
    ['ends without the end', (peer) => peer.say('bye', {}), 'SESSION_CLOSED'],
    ['goes away', (peer) => peer.channel.close(), 'LINK_LOST'],
    ['has an epoch where the end is due', (peer) => peer.say('epoch-end', { epoch: 1 }), 'SESSION_UNEXPECTED'],
  ])('and %s gets nothing from this side', async (_, misbehave, code) => {
    const { target, got } = await half('receiver', async (peer) => {
      await peer.hello()
      await misbehave(peer)
    })
    expect([got?.end, codeOf(got?.why), target.state]).toEqual(['dropped', code, 'destroyed'])
  })

  it('and does not hand over has a minute, then hears that the guest is its own again', async () => {
    const heard: string[] = []
    const { target, got } = await half('receiver', async (peer) => {
      await peer.hello()
      await peer.say('end', { bytes: 0, digest: peer.digest() })
      await peer.hear('received')
      void beatFor(peer, 70)
      await peer.hear('given-back').then(({ code }) => heard.push(code), () => undefined)
    })
    expect([got?.end, codeOf(got?.why), target.state]).toEqual(['dropped', 'LINK_TIMEOUT', 'destroyed'])
  })

  it('and dies right after the hand-over has given the guest away: it runs here', async () => {
    const { target, got } = await half('receiver', async (peer) => {
      await peer.hello()
      await peer.say('end', { bytes: 0, digest: peer.digest() })
      await peer.hear('received')
      await peer.say('yours', {})
      await peer.channel.close()
    })
    expect([got?.end, codeOf(got?.why), target.state]).toEqual(['running', 'LINK_LOST', 'running'])
  })

  it('and sends more than the window is told so', async () => {
    let code = ''
    const { got } = await half('receiver', async (peer) => {
      await peer.hello()
      const bytes = new Uint8Array(65_536)
      const crc = 0xd7978eeb
      for (let i = 0; i < 200; i += 1) await peer.say('data', { ...data(i * bytes.length, bytes), crc }).catch(() => undefined)
      code = await peer.hear('abort').then((body) => body.code, () => 'lost')
    })
    expect(got?.end).toBe('dropped')
    expect(['SESSION_WINDOW', 'SESSION_CLOSED', 'lost']).toContain(code)
  })
})

describe('what is told on the way', () => {
  it('is how far the receiver is, and how long it takes there and back', async () => {
    const events: SessionEvent[] = []
    await half('sender', async (peer) => {
      await peer.welcome()
      await peer.say('progress', { bytes: 100, pages: 5, state: 2 })
      const { now } = await peer.hear('heartbeat')
      await peer.say('heartbeat', { now: 77, echo: now })
      await peer.hear('heartbeat')
      await peer.channel.close()
    }, (event) => events.push(event), noise(20_000_000))
    expect(events).toContainEqual({ type: 'progress', bytes: 100, pages: 5, state: 2 })
    expect(events).toContainEqual({ type: 'round-trip', ms: expect.any(Number) as number })
  })
})

describe('the tables', () => {
  it('have an answer to a lost link and to any failure in every state in which something is waited for', () => {
    for (const table of [sendTable, receiveTable] as readonly Readonly<Record<string, object>>[]) {
      for (const [state, row] of Object.entries(table)) {
        if (state === 'start' || Object.keys(row).length === 0) continue
        expect(Object.keys(row), state).toContain('failed')
      }
    }
  })

  it('let a guest run only where the other side cannot', () => {
    type Rows = Readonly<Record<string, Readonly<Record<string, { readonly run: readonly string[] }>>>>
    const eventsThat = (what: string, table: Rows): readonly string[] =>
      Object.values(table).flatMap((row) => Object.entries(row)).filter(([, { run }]) => run.includes(what)).map(([event]) => event)
    expect(new Set(eventsThat('resume', sendTable as Rows))).toEqual(new Set(['given-back', 'peer-lost', 'failed', 'unsaid']))
    expect(eventsThat('resume', { handed: sendTable.handed })).toEqual(['unsaid', 'given-back'])
    expect(eventsThat('start', receiveTable as Rows)).toEqual(['yours'])
  })
})
