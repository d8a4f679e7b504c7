import type { Comparator, Comparison, GuestPacket } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, type Bench, type Case } from '../case.ts'

/** A comparator that has not seen anything. */
export interface ComparatorBench extends Bench {
  readonly comparator: Comparator
}

type Side = 'primary' | 'secondary'

/** What a comparator was told, and what it let go. */
class Dialogue {
  readonly left: GuestPacket[] = []
  diverged: Comparison['diverged']
  readonly #comparator: Comparator

  constructor({ comparator }: ComparatorBench) {
    this.#comparator = comparator
  }

  say(side: Side, packet: GuestPacket, now = 0): this {
    return this.#take(this.#comparator[side](packet, now))
  }

  /** Words: `P` or `S` and what is sent, in flow `a`. */
  talk(words: string): this {
    for (const word of words.split(' ')) this.say(word.startsWith('P') ? 'primary' : 'secondary', packet(word.slice(1)))
    return this
  }

  look(now: number): this {
    return this.#take(this.#comparator.look(now))
  }

  leave(packets: readonly GuestPacket[]): this {
    this.left.push(...packets)
    return this
  }

  #take({ release, diverged }: Comparison): this {
    this.diverged = diverged
    return this.leave(release)
  }

  get words(): string {
    return this.left.map(({ bytes }) => new TextDecoder().decode(bytes)).join(' ')
  }
}

const told = (name: string, body: (dialogue: Dialogue, comparator: Comparator) => void): Case<ComparatorBench> =>
  check(name, (bench) => {
    body(new Dialogue(bench), bench.comparator)
    return Promise.resolve()
  })

const packet = (text: string, flow: string | undefined = 'a', card = 'net0'): GuestPacket => ({ card, flow, bytes: new TextEncoder().encode(text) })

const rightAnswers: readonly Case<ComparatorBench>[] = [
  told('a packet leaves when both sides have sent it, whichever was first', (dialogue, comparator) => {
    dialogue.talk('P1')
    assert.deepEqual([dialogue.words, comparator.waiting], ['', 1])
    dialogue.talk('S1 S2 P2')
    assert.deepEqual([dialogue.words, comparator.waiting, dialogue.diverged], ['1 2', 0, undefined])
  }),
  told('what leaves is what the primary has sent, and the very packet', (dialogue) => {
    const mine = packet('1')
    dialogue.say('secondary', packet('1')).say('primary', mine)
    assert.equal(dialogue.left[0], mine)
  }),
  told('packets of a flow leave in their order', (dialogue) => {
    assert.equal(dialogue.talk('P1 P2 P3 S1 S2 S3').words, '1 2 3')
  }),
  told('flows, and cards, wait by themselves', (dialogue) => {
    dialogue.say('primary', packet('1', 'a')).say('primary', packet('2', 'b')).say('primary', packet('3', 'b', 'net1'))
    dialogue.say('secondary', packet('3', 'b', 'net1')).say('secondary', packet('2', 'b'))
    assert.deepEqual([dialogue.words, dialogue.diverged], ['3 2', undefined])
  }),
]

const wrongAnswers: readonly Case<ComparatorBench>[] = [
  told('what differs stays, and a checkpoint is wanted until there is one', (dialogue, comparator) => {
    dialogue.talk('P1 S2')
    assert.deepEqual([dialogue.words, dialogue.diverged], ['', 'differs'])
    assert.equal(dialogue.look(1).diverged, 'differs')
    comparator.checkpoint()
    assert.equal(dialogue.look(2).diverged, undefined)
  }),
  told('nothing leaves between a divergence and the checkpoint', (dialogue) => {
    dialogue.talk('P1 S2').say('primary', packet('3', 'b')).say('secondary', packet('3', 'b'))
    assert.deepEqual([dialogue.words, dialogue.diverged], ['', 'differs'])
  }),
  told('what waits too long asks for a checkpoint, of either side', (dialogue, comparator) => {
    for (const [side, begin] of [['primary', 1000], ['secondary', 1_000_000]] as const) {
      dialogue.say(side, packet('1'), begin)
      for (let looks = 0; dialogue.diverged === undefined; looks += 1) {
        const { due } = comparator
        assert.ok(due !== undefined && due > begin && looks < 100, `after ${looks} looks it is to be looked at next at ${due}`)
        dialogue.look(due)
      }
      assert.deepEqual([dialogue.diverged, dialogue.words], ['late', ''])
      comparator.checkpoint()
      dialogue.look(begin * 10)
    }
  }),
  told('nothing is to be looked at where nothing waits', (dialogue, comparator) => {
    assert.equal(comparator.due, undefined)
    dialogue.talk('P1 S1')
    assert.deepEqual([comparator.due, dialogue.look(1e9).diverged], [undefined, undefined])
  }),
  told('more than may wait asks for a checkpoint', (dialogue) => {
    for (let n = 0; n < MOST && dialogue.diverged === undefined; n += 1) dialogue.talk(`S${n}`)
    assert.equal(dialogue.diverged, 'full')
  }),
]

/** Packets of a flow that nobody would let wait. */
const MOST = 20_000

const turns: readonly Case<ComparatorBench>[] = [
  told('a checkpoint lets go what waits of the primary, as it came, and forgets what waits of the secondary', (dialogue, comparator) => {
    dialogue.talk('P1').say('primary', packet('2', 'b')).talk('P3')
    dialogue.leave(comparator.checkpoint())
    assert.deepEqual([dialogue.words, comparator.waiting], ['1 2 3', 0])
    dialogue.talk('S4').leave(comparator.checkpoint()).talk('P4')
    assert.deepEqual([dialogue.words, dialogue.diverged], ['1 2 3', undefined])
    dialogue.talk('S4')
    assert.equal(dialogue.words, '1 2 3 4')
  }),
  told('without a secondary what waits is let go, and what comes leaves at once', (dialogue, comparator) => {
    dialogue.talk('P1 S2').leave(comparator.failover()).talk('P3 S9 P4')
    assert.deepEqual([dialogue.words, dialogue.diverged, comparator.waiting, comparator.due], ['1 3 4', undefined, 0, undefined])
  }),
  told('bytes that are no frame do no harm, and wait for the same', (dialogue) => {
    for (const length of [0, 1, 13, 14, 33, 34, 60]) {
      const bytes = Uint8Array.from({ length }, (_, n) => (n === 12 ? 8 : n === 13 ? 0 : 255))
      const one = { card: 'net0', bytes }
      dialogue.say('primary', one)
      assert.ok(!dialogue.left.includes(one), `${length} bytes left by themselves`)
      assert.ok(dialogue.say('secondary', { ...one }).left.includes(one), `${length} bytes that both have sent did not leave`)
    }
  }),
]

/** What every comparator of guests in lock-step keeps. */
export const comparatorCases: readonly Case<ComparatorBench>[] = [...rightAnswers, ...wrongAnswers, ...turns]
