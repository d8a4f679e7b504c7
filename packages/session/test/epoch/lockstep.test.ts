import { LockstepReceiver, LockstepSender, openReceiver, openSender, type ProtectionWanted, type SentPacket, type Session } from '@xen-replication/session'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryLink } from '../memory-link.ts'
import { noise } from '../pair.ts'
import { VirtualClock } from '../virtual-clock.ts'

const wanted: ProtectionWanted = { guest: noise(16), token: 0n, heartbeatMs: 100, silenceMs: 300, members: 1, arbiter: 1 }

interface Both {
  readonly clock: VirtualClock
  readonly sessions: readonly [Session, Session]
  readonly sender: LockstepSender
  readonly receiver: LockstepReceiver
  readonly seen: SentPacket[]
}

async function both(): Promise<Both> {
  const link = memoryLink()
  const clock = new VirtualClock()
  const common = { clock, compression: 'none' } as const
  const sessions = await Promise.all([
    openSender({ ...common, channel: link.sender, purpose: 'colo', must: ['replication'] }),
    openReceiver({ ...common, channel: link.receiver, purpose: 'migrate', alsoFor: ['colo'] }),
  ])
  const [sender, receiver] = [new LockstepSender(sessions[0], 5000), new LockstepReceiver(sessions[1])]
  const seen: SentPacket[] = []
  sender.onPackets((packets) => seen.push(...packets))
  const asked = receiver.asked().then((got) => receiver.ready(got))
  await Promise.all([sender.begin(wanted), asked])
  return { clock, sessions, sender, receiver, seen }
}

const end = ({ sessions }: Both): Promise<unknown> => Promise.all(sessions.map((session) => session.end()))
const packet = (card: number, bytes: Uint8Array): SentPacket => ({ member: 0, card, bytes })

describe('a list of dirty pages', () => {
  it('comes as it was sent, however long it is, and nothing of what follows is taken for it', async () => {
    const pair = await both()
    await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 2 ** 40 }), { maxLength: 20_000 }), async (pfns) => {
      await pair.receiver.say('svm-suspended')
      const sent = pair.receiver.dirtyPfns(pfns).then(() => pair.receiver.say('svm-resumed'))
      expect(await pair.sender.next()).toBe('svm-suspended')
      expect(await pair.sender.dirtyPfns()).toEqual(pfns)
      expect(await pair.sender.next()).toBe('svm-resumed')
      await sent
    }), { numRuns: 20 })
    await end(pair)
  })

  it('that does not come is waited for only so long', async () => {
    const pair = await both()
    const list = pair.sender.dirtyPfns()
    list.catch(() => undefined)
    await pair.clock.sleep(5001)
    await expect(list).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
    await end(pair)
  })

  it('that is none is told with the byte at which it stands', async () => {
    const pair = await both()
    await pair.sessions[1].send('back', new Uint8Array(16).fill(7))
    await expect(pair.sender.dirtyPfns()).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL', offset: 0 })
    await end(pair)
  })

  it('fails with the link where that is lost in the middle of it', async () => {
    const pair = await both()
    await pair.sessions[1].send('back', Uint8Array.of(15, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3))
    const list = pair.sender.dirtyPfns()
    list.catch(() => undefined)
    pair.sessions[1].cut(new Error('cut'))
    await expect(list).rejects.toMatchObject({ code: 'LINK_LOST' })
    await end(pair)
  })
})

describe('packets of the guest that runs along', () => {
  it('come in their order, and before the word that was said after them', async () => {
    const pair = await both()
    const many = Array.from({ length: 300 }, (_, n) => packet(n % 2, noise(1 + ((n * 997) % 65_000), n)))
    const sent = pair.receiver.packets(many).then(() => pair.receiver.say('svm-suspended'))
    expect(await pair.sender.next()).toBe('svm-suspended')
    await sent
    expect(pair.seen.map(({ card, bytes }) => [card, Buffer.from(bytes).toString('base64')])).toEqual(many.map(({ card, bytes }) => [card, Buffer.from(bytes).toString('base64')]))
    await end(pair)
  })

  it('do not wait behind a word that nobody has time for', async () => {
    const pair = await both()
    await pair.receiver.say('hand-over')
    expect(await pair.sender.heard()).toBe('hand-over')
    for (let n = 0; n < 600; n += 1) await pair.receiver.packets([packet(0, Uint8Array.of(n & 0xff))])
    await expect.poll(() => pair.seen.length).toBe(600)
    expect(await pair.sender.next()).toBe('hand-over')
    await end(pair)
  })

  it('too long for any frame are left out', async () => {
    const pair = await both()
    await pair.receiver.packets([packet(0, Uint8Array.of(1)), packet(0, new Uint8Array(300_000)), packet(0, Uint8Array.of(2))])
    await pair.receiver.say('svm-suspended')
    await pair.sender.next()
    expect(pair.seen.map(({ bytes }) => [...bytes])).toEqual([[1], [2]])
    await end(pair)
  })
})

describe('a peer that says too much', () => {
  it('is cut off after 64 words that nobody took', async () => {
    const pair = await both()
    const first = pair.sender.heard()
    for (let n = 0; n < 66; n += 1) await pair.receiver.say('hand-over').catch(() => undefined)
    await first
    await expect.poll(() => pair.sender.signal.aborted).toBe(true)
    expect(pair.sender.signal.reason).toMatchObject({ code: 'SESSION_WINDOW' })
    await end(pair)
  })

  it('is cut off when it acknowledges what was not sent', async () => {
    const pair = await both()
    const word = pair.sender.heard()
    word.catch(() => undefined)
    await pair.receiver.stored(7)
    await expect(word).rejects.toMatchObject({ code: 'SESSION_UNEXPECTED' })
    await end(pair)
  })
})
