import { packetComparer } from '@xen-replication/comparer'
import type { Clock, GuestPacket, PacketTap } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { ComparedOutput } from '../../src/replicate/compared-output.ts'

const never = new AbortController().signal
const frame = (text: string): Uint8Array => new TextEncoder().encode(`a frame that says ${text}`)

/** A clock that moves when it is told to. */
function handClock(): Clock & { advance(ms: number): Promise<void> } {
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  let now = 0
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        const sleeper = { at: now + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => sleepers.delete(sleeper) && reject(new Error('stopped')), { once: true })
      }),
    advance: async (ms) => {
      for (const end = now + ms; ; ) {
        await new Promise(setImmediate)
        const next = [...sleepers].sort((a, b) => a.at - b.at)[0]
        now = Math.min(end, next?.at ?? end)
        if (next === undefined || next.at > end) return
        sleepers.delete(next)
        next.wake()
      }
    },
  }
}

/** A card that a test sends from. */
function fakeCard(): { readonly tap: PacketTap; readonly left: readonly GuestPacket[]; send(text: string): void } {
  const left: GuestPacket[] = []
  let taken: GuestPacket[] = []
  let wake = (): void => undefined
  const tap: PacketTap = {
    open: () => Promise.resolve(),
    taken: (signal) =>
      new Promise((resolve, reject) => {
        wake = () => (taken.length > 0 ? resolve(taken.splice(0)) : undefined)
        signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
        wake()
      }),
    rest: () => Promise.resolve(taken.splice(0)),
    send: (packets) => Promise.resolve(void left.push(...packets)),
    close: () => Promise.resolve(void (taken = [])),
  }
  return { tap, left, send: (text) => [taken.push({ card: 'net0', bytes: frame(text) }), wake()] }
}

async function compared() {
  const card = fakeCard()
  const clock = handClock()
  const output = new ComparedOutput({ cards: [{ member: 0, card: 0, tap: card.tap }], comparator: packetComparer(), clock })
  await output.begin()
  output.go()
  return { card, clock, output, secondary: (text: string) => output.secondary([{ member: 0, card: 0, bytes: frame(text) }]) }
}

describe('output of a guest that runs on both hosts', () => {
  it('asks for a checkpoint 3 s after a packet whose counterpart does not come, whoever waited before', async () => {
    const { card, clock, output } = await compared()
    let told: string | undefined
    const waiting = output.diverged(never).then((why) => (told = why))
    await clock.advance(10_000)
    card.send('something')
    await clock.advance(2999)
    expect(told).toBeUndefined()
    await clock.advance(2)
    await waiting
    expect([told, clock.now()]).toEqual(['late', 13_001])
    await output.end('drop')
  })

  it('leaves when the secondary has sent the same, and is waited for no longer', async () => {
    const { card, clock, output, secondary } = await compared()
    let told: string | undefined
    const waiting = output.diverged(never).then((why) => (told = why))
    for (let n = 0; n < 5; n += 1) {
      card.send(`${n}`)
      await clock.advance(1000)
      secondary(`${n}`)
      await clock.advance(4000)
    }
    expect([card.left.length, told]).toEqual([5, undefined])
    card.send('one')
    await clock.advance(1)
    secondary('other')
    expect(await waiting).toBe('differs')
    await output.stand()
    await output.checkpoint()
    expect(card.left.map(({ bytes }) => bytes).at(-1)).toEqual(frame('one'))
    await output.end('release')
  })
})
