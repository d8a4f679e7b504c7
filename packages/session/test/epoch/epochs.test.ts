import { ByteReader } from '@xen-replication/format'
import { EpochReceiver, EpochSender, openReceiver, openSender, type BodyOf, type ProtectionWanted, type Session } from '@xen-replication/session'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { memoryLink, type MutableLink } from '../memory-link.ts'
import { Memory } from '../pack/checkpoints.ts'
import { noise } from '../pair.ts'
import { VirtualClock } from '../virtual-clock.ts'

const wanted: ProtectionWanted = { guest: noise(16), token: 0n, heartbeatMs: 100, silenceMs: 300, members: 1, arbiter: 1 }

interface Both {
  readonly clock: VirtualClock
  readonly link: MutableLink
  readonly sessions: readonly [Session, Session]
  readonly sender: EpochSender
  readonly receiver: EpochReceiver
}

/** Two sides that have agreed. */
async function both(protection: Partial<ProtectionWanted> = {}, link = memoryLink(), compression: readonly ['auto' | 'none', 'auto' | 'none'] = ['none', 'none']): Promise<Both> {
  const clock = new VirtualClock()
  const common = { clock }
  const sessions = await Promise.all([
    openSender({ ...common, compression: compression[0], channel: link.sender, purpose: 'remus', must: ['replication'] }),
    openReceiver({ ...common, compression: compression[1], channel: link.receiver, purpose: 'migrate', alsoFor: ['colo', 'remus'] }),
  ])
  const [sender, receiver] = [new EpochSender(sessions[0], 5000), new EpochReceiver(sessions[1])]
  const asked = receiver.asked().then((got) => receiver.ready(got))
  await Promise.all([sender.begin({ ...wanted, ...protection }), asked])
  return { clock, link, sessions, sender, receiver }
}

const end = ({ sessions }: Both): Promise<unknown> => Promise.all(sessions.map((session) => session.end()))
const take = async (receiver: EpochReceiver, member: number, size: number): Promise<Uint8Array> => new Uint8Array(size === 0 ? [] : await new ByteReader(receiver.source(member)).take(size))

describe('a receiver that is ready for several things', () => {
  it('learns from the sender which it is', async () => {
    const pair = await both()
    expect(pair.sessions.map(({ agreement }) => agreement.purpose)).toEqual(['remus', 'remus'])
    await end(pair)
  })

  it('refuses what it is not ready for, and says what it would take', async () => {
    const link = memoryLink()
    const clock = new VirtualClock()
    const receiving = openReceiver({ clock, channel: link.receiver, purpose: 'migrate', alsoFor: ['remus'] })
    const sending = openSender({ clock, channel: link.sender, purpose: 'other' })
    await expect(receiving).rejects.toMatchObject({ code: 'SESSION_ROLE', message: 'the peer wants to other, this side is here to migrate or remus' })
    await expect(sending).rejects.toMatchObject({ code: 'SESSION_PEER_ABORTED' })
  })
})

describe('an epoch', () => {
  it('is read up to its end, and acknowledged by its number', async () => {
    const pair = await both()
    const { sender, receiver } = pair
    for (const epoch of [0, 1, 2]) {
      const bytes = noise(3_000_000, epoch + 1)
      const sent = sender.sink(0).write([bytes]).then(() => sender.endEpoch(epoch))
      expect(Buffer.compare(await take(receiver, 0, bytes.length), bytes)).toBe(0)
      await sent
      expect(await receiver.epochEnd()).toBe(epoch)
      await receiver.stored(epoch)
      expect(await sender.next()).toBe('stored')
    }
    await end(pair)
  })

  it('that was not sent cannot be acknowledged: the sender ends the session', async () => {
    const pair = await both()
    await pair.sender.endEpoch(4)
    await pair.receiver.stored(3)
    await expect(pair.sender.next()).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED' })
    expect(pair.sender.signal.aborted).toBe(true)
    await end(pair)
  })

  it('is acknowledged under the token that the pair was made with, and under no other', async () => {
    const pair = await both({ token: 7n })
    await pair.sender.endEpoch(0)
    await pair.receiver.stored(0)
    expect(await pair.sender.next()).toBe('stored')
    await pair.sender.endEpoch(1)
    await pair.sessions[1].send('epoch-stored', { epoch: 1, token: 6n })
    await expect(pair.sender.next()).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED', message: expect.stringContaining('under token 6') as string })
    await end(pair)
  })

  it('takes no more memory than the one before: what was read is used again', async () => {
    const pair = await both()
    const { sender, receiver } = pair
    const seen = new Set<ArrayBufferLike>()
    for (let epoch = 0; epoch < 12; epoch += 1) {
      const sent = sender.sink(0).write([noise(2_500_000, epoch + 1)]).then(() => sender.endEpoch(epoch))
      const source = receiver.source(0)
      for (let part = await source.read(1 << 20); part !== undefined; part = await source.read(1 << 20)) seen.add(part.buffer)
      await sent
      await receiver.epochEnd()
      await receiver.stored(epoch)
      await sender.next()
    }
    expect(seen.size).toBeLessThan(12)
    await end(pair)
  })

  it('that a peer which lives does not acknowledge is waited for only so long', async () => {
    const pair = await both()
    await pair.sender.endEpoch(0)
    const before = pair.clock.now()
    await expect(pair.sender.next()).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
    expect(pair.clock.now() - before).toBeGreaterThanOrEqual(5000)
    await end(pair)
  })

  it('ends where something else stands: the stream of a guest gives no more, and the word is there', async () => {
    const pair = await both()
    await pair.sender.sink(0).write([noise(10)])
    await pair.sender.say('leave')
    expect(await take(pair.receiver, 0, 10)).toEqual(noise(10))
    expect(await pair.receiver.source(0).read(1)).toBeUndefined()
    expect(await pair.receiver.word()).toBe('leave')
    await end(pair)
  })
})

describe('the streams of a group', () => {
  it('reach each guest whole, whatever the order and the pieces, read side by side', async () => {
    const write = fc.record({ member: fc.nat(2), length: fc.integer({ min: 1, max: 700_000 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 12 }), async (writes) => {
        const pair = await both({ members: 3 })
        const sent = [0, 1, 2].map((member) => Buffer.concat(writes.flatMap((one, i) => (one.member === member ? [noise(one.length, i + 1)] : []))))
        const writing = (async () => {
          for (const [i, { member, length }] of writes.entries()) await pair.sender.sink(member).write([noise(length, i + 1)])
          await pair.sender.endEpoch(0)
        })()
        const got = await Promise.all(sent.map(({ length }, member) => take(pair.receiver, member, length)))
        await writing
        expect(got.map((bytes, i) => Buffer.compare(bytes, sent[i] as Buffer))).toEqual([0, 0, 0])
        expect(await pair.receiver.epochEnd()).toBe(0)
        await end(pair)
      }),
      { numRuns: 15 },
    )
  })

  it('of a guest that there is not is refused', async () => {
    const pair = await both({ members: 2 })
    await pair.sender.sink(2).write([noise(5)])
    await pair.sender.endEpoch(0)
    await expect(pair.receiver.source(0).read(5)).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED' })
    await end(pair)
  })
})

describe('a peer that falls silent', () => {
  it('is found after the time that was agreed on, once there is a copy; before that after a longer one', async () => {
    for (const copies of [0, 1]) {
      const pair = await both()
      if (copies === 1) {
        await pair.sender.endEpoch(0)
        await pair.receiver.epochEnd()
        await pair.receiver.stored(0)
        await pair.sender.next()
      }
      const before = pair.clock.now()
      pair.link.silence()
      const lost = (side: { readonly signal: EpochSender['signal'] }): Promise<number> => new Promise((resolve) => side.signal.addEventListener('abort', () => resolve(pair.clock.now() - before), { once: true }))
      const [near, far] = await Promise.all([lost(pair.sender), lost(pair.receiver)])
      for (const after of [near, far]) expect(copies === 1 ? after <= 500 : after > 5000 && after <= 15_000, `${copies} copies: after ${after} ms`).toBe(true)
      await end(pair)
    }
  })
})

describe('checkpoints whose pages go as what differs', () => {
  const packing = ['auto', 'auto'] as const

  /** Sends checkpoints of guests that write so many pages between two. @returns bytes of the streams, and bytes on the wire, of those after the second */
  async function protect(pair: Both, { epochs = 6, members = 1, words = 20, cuts = [1 << 30] }: { readonly epochs?: number; readonly members?: number; readonly words?: number; readonly cuts?: readonly number[] }) {
    const guests = Array.from({ length: members }, (_, member) => new Memory(32, member + 1))
    const counted = { stream: 0, wire: 0 }
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const sent = guests.map((guest) => (epoch === 0 ? guest.first() : guest.checkpoint(words)))
      const before = pair.sender.wireBytes
      const sending = (async () => {
        for (const [member, bytes] of sent.entries()) {
          for (let at = 0, i = 0; at < bytes.length; i += 1) {
            const size = cuts[i % cuts.length] as number
            await pair.sender.sink(member).write([bytes.subarray(at, at + size)])
            at += size
          }
        }
        await pair.sender.endEpoch(epoch)
      })()
      const got = await Promise.all(sent.map(({ length }, member) => take(pair.receiver, member, length)))
      await sending
      expect(got.map((bytes, i) => Buffer.compare(bytes, sent[i] as Uint8Array)), `epoch ${epoch}`).toEqual(sent.map(() => 0))
      expect(await pair.receiver.epochEnd()).toBe(epoch)
      await pair.receiver.stored(epoch)
      expect(await pair.sender.next()).toBe('stored')
      if (epoch < 2) continue
      counted.stream += sent.reduce((sum, { length }) => sum + length, 0)
      counted.wire += pair.sender.wireBytes - before
    }
    return counted
  }

  it('take a tenth of the bytes at most where 5 % of the words change', async () => {
    const pair = await both({}, memoryLink(), packing)
    const { stream, wire } = await protect(pair, { words: 51 })
    expect(wire).toBeLessThanOrEqual(stream / 10)
    await end(pair)
  })

  it('take one percent more at most where pages change altogether', async () => {
    const pair = await both({}, memoryLink(), packing)
    const { stream, wire } = await protect(pair, { words: 1024, epochs: 12 })
    expect(wire).toBeLessThanOrEqual(stream * 1.01)
    await end(pair)
  })

  it('arrive as they were sent, of several guests, in pieces of any length, with room for few pages or many', async () => {
    const run = fc.record({ members: fc.integer({ min: 1, max: 3 }), copies: fc.constantFrom(1, 7, 64, 500), words: fc.constantFrom(1, 51, 1024), cuts: fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 4 }).filter((cuts) => Math.max(...cuts) > 3000) })
    await fc.assert(
      fc.asyncProperty(run, async ({ members, copies, words, cuts }) => {
        const pair = await both({ members, copies }, memoryLink(), packing)
        await protect(pair, { epochs: 4, members, words, cuts })
        await end(pair)
      }),
      { numRuns: 10 },
    )
  })

  it.each([['the sender', ['none', 'auto']], ['the receiver', ['auto', 'none']]] as const)('go as they are where %s will not have it otherwise', async (_who, compression) => {
    const pair = await both({}, memoryLink(), compression)
    const { stream, wire } = await protect(pair, { epochs: 4 })
    expect(wire).toBeGreaterThan(stream / 2)
    await end(pair)
  })

  it('are refused by a receiver that keeps no copies, or not so many', async () => {
    for (const [compression, copies, code] of [[['none', 'none'], 100, 'SESSION_UNEXPECTED'], [packing, 70_000, 'SESSION_TOO_LARGE']] as const) {
      const pair = await both({}, memoryLink(), compression)
      await pair.sessions[0].send('protect', { ...wanted, copies })
      await expect(pair.receiver.source(0).read(1)).rejects.toMatchObject({ code })
      await end(pair)
    }
  })

  it('that were changed on their way are found, by the checksum of what they stand for', async () => {
    const pair = await both({}, memoryLink(), packing)
    const guest = new Memory(8, 1)
    await protect(pair, { epochs: 2 })
    const bytes = guest.checkpoint(3)
    const stranger = new Memory(8, 99).checkpoint(3)
    const session = pair.sessions[0]
    const send = session.send.bind(session)
    session.send = (name, body, size) => send(name, name === 'data' ? ({ ...(body as BodyOf<'data'>), crc: crc32(stranger) } as typeof body) : body, size)
    await pair.sender.sink(0).write([bytes])
    await pair.sender.endEpoch(2)
    await expect(take(pair.receiver, 0, bytes.length)).rejects.toMatchObject({ code: 'SESSION_DAMAGED' })
    await end(pair)
  })
})
