import type { ByteSource } from '@xen-replication/format'
import { LinkError, ReplError } from '@xen-replication/plugin-api'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Arbitration } from './arbitration.ts'
import { unexpected, type Moment, type Peer } from './run-role.ts'
import type { ShadowGuest } from './shadow-guest.ts'
import type { Wishes } from './wishes.ts'

/** The way from a primary. `EpochReceiver` of the session is one. */
export interface SecondaryLink extends Peer {
  source(member: number): ByteSource
  /** The word that is next, if what is next is a word. */
  word(): Promise<string | undefined>
  /** The end of the epoch, which has to be next. */
  epochEnd(): Promise<number>
  /** Acknowledges an epoch. */
  stored(epoch: number): Promise<void>
  say(word: string): Promise<void>
}

export interface SecondaryPorts {
  readonly guests: readonly ShadowGuest[]
  readonly link: SecondaryLink
  readonly arbitration: Arbitration
  readonly wishes: Wishes
  /** Whether a guest that was taken over is to run. */
  readonly then: 'run' | 'stay-paused'
}

type Effect = (moment: Moment) => Promise<string | undefined | void>

/** Performs the shared effects of a secondary: what counts is held completely or was never seen. */
export class Secondary {
  readonly #ports: SecondaryPorts
  readonly #effects: Readonly<Record<string, Effect>>
  /** The epoch that is due. */
  #epoch = 0
  #stored = -1
  /** What is held is stored. */
  #counts = false
  /** What is being read; it goes on when a wish came in between. */
  #reading: Promise<string> | undefined

  constructor(ports: SecondaryPorts) {
    this.#ports = ports
    this.#effects = {
      'read-checkpoint': (moment) => this.#read(moment),
      store: () => this.#store(),
      apply: () => this.#all((guest) => guest.apply()),
      drop: () => this.#drop(),
      arbitrate: () => this.#arbitrate(),
      'take-over': (moment) => this.#takeOver(moment),
      resume: async () => {
        if (ports.then === 'run') await this.#all((guest) => guest.run())
      },
      stand: () => Promise.resolve(),
      destroy: () => this.#all((guest) => guest.destroy()),
    }
  }

  /** How many epochs are safe here. */
  get epochs(): number {
    return this.#stored + 1
  }

  async perform(effect: string, moment: Moment): Promise<string | undefined> {
    if (effect === 'send:stored') return this.#acknowledge()
    if (effect.startsWith('send:')) return this.#say(effect.slice(5))
    const known = Object.hasOwn(this.#effects, effect) ? this.#effects[effect] : undefined
    if (known === undefined) throw new ReplError('REPL_UNKNOWN_EFFECT', `a secondary cannot '${effect}'`, { hint: 'report this to the author of the strategy' })
    return (await known(moment)) ?? undefined
  }

  /** Reads a checkpoint or a word, whatever comes, unless a wish is there first. */
  async #read(moment: Moment): Promise<string> {
    const reading = (this.#reading ??= this.#next())
    reading.catch(() => undefined)
    const event = await this.#ports.wishes.race(reading, moment.signal, (wish) => moment.answers(wish))
    if (event === 'stop' || event === 'failover') return event
    this.#reading = undefined
    if (!moment.answers(event)) throw unexpected(event, 'where something else is due')
    if (event === 'yours') this.#ports.arbitration.handedOver('us')
    return event
  }

  async #next(): Promise<string> {
    const { link, guests } = this.#ports
    this.#counts = false
    const word = await link.word()
    if (word !== undefined) return word
    const stops = await Promise.all(guests.map((guest) => guest.read()))
    if (stops.every(({ why }) => why === 'checkpoint')) return this.#epochEnd()
    const left = await link.word() // the primary has given up in the middle of it
    if (left !== undefined) return left
    throw new LinkError('LINK_LOST', 'the stream of the primary ended within a checkpoint')
  }

  async #epochEnd(): Promise<string> {
    const epoch = await this.#ports.link.epochEnd()
    if (epoch !== this.#epoch) throw new ReplError('REPL_UNEXPECTED_EVENT', `epoch ${epoch} came where ${this.#epoch} was due`)
    return 'checkpoint-read'
  }

  /**
   * All of the epoch is here, of every guest, memory and disks: from now on it counts. While disks are waited for the epoch may still be forgotten; once
   * one of them is told to store it, it is not any more, whatever becomes of the primary.
   */
  async #store(): Promise<void> {
    const { link } = this.#ports
    await this.#all((guest) => guest.received(this.#epoch, link.signal))
    await this.#all((guest) => guest.store(this.#epoch))
    this.#stored = this.#epoch
    this.#epoch += 1
    this.#counts = true
  }

  async #acknowledge(): Promise<undefined> {
    if (this.#stored < 0) throw new ReplError('REPL_UNEXPECTED_EVENT', 'an epoch is to be acknowledged and none is stored', { hint: 'report this to the author of the strategy' })
    await this.#ports.link.stored(this.#stored)
  }

  async #say(word: string): Promise<undefined> {
    await this.#ports.link.say(word)
  }

  /** Of an epoch that was stored nothing is dropped, even if it could not be acknowledged. */
  #drop(): Promise<void> {
    if (!this.#counts) for (const guest of this.#ports.guests) guest.drop()
    return Promise.resolve()
  }

  /** Whoever has no whole copy asks nobody: there is nothing to run. */
  #arbitrate(): Promise<string> {
    return this.#stored < 0 ? Promise.resolve('lost') : this.#ports.arbitration.claim(never())
  }

  async #takeOver({ event }: Moment): Promise<string | undefined> {
    const { arbitration } = this.#ports
    if (event === 'failover') arbitration.decidedByOperator()
    if (!(await arbitration.holds(never()))) return 'fenced'
    await this.#all((guest) => guest.complete(this.#stored, arbitration.token))
    return (await arbitration.holds(never())) ? undefined : 'fenced' // that took a time
  }

  async #all(work: (guest: ShadowGuest) => Promise<void>): Promise<void> {
    await Promise.all(this.#ports.guests.map(work))
  }
}

const never = (): AbortSignalLike => new AbortController().signal
