import type { ByteSource } from '@xen-replication/format'
import { LinkError, ReplError } from '@xen-replication/plugin-api'
import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import type { Arbitration } from './arbitration.ts'
import type { LockstepGuest } from './lockstep-guest.ts'
import { CHECKPOINT_IDLE_MS, inTime } from './patient-source.ts'
import { unexpected, type Moment, type Peer } from './run-role.ts'
import type { ShadowGuest } from './shadow-guest.ts'
import type { Wishes } from './wishes.ts'

/** The guests of a secondary that run along, and the way on which what they did is told. `LockstepReceiver` of the session is one. */
export interface Lockstep {
  readonly guests: readonly LockstepGuest[]
  readonly link: { dirtyPfns(pfns: readonly number[]): Promise<void> }
  readonly clock: Clock
}

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
  /** Where the guests run along. */
  readonly lockstep?: Lockstep | undefined
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
  #takenOver = false

  constructor(ports: SecondaryPorts) {
    this.#ports = ports
    this.#effects = {
      'read-checkpoint': (moment) => this.#read(moment, () => this.#next()),
      expect: (moment) => this.#read(moment, () => this.#announced()),
      store: () => this.#store(),
      apply: () => this.#all((guest) => guest.apply()),
      drop: () => this.#drop(),
      arbitrate: () => ports.arbitration.claim(never()),
      'take-over': (moment) => this.#takeOver(moment),
      resume: async () => {
        if (ports.then === 'run' || !this.#takenOver) await this.#all((guest) => guest.run())
      },
      stand: () => this.#all((guest) => guest.stand()),
      suspend: () => this.#each((guest) => guest.suspend()),
      postsuspend: () => this.#each((guest) => guest.postsuspend(this.#stored)),
      preresume: () => this.#each((guest) => guest.preresume(this.#stored)),
      'send-dirty-list': () => this.#each(async (guest) => this.#lockstep.link.dirtyPfns(await guest.dirtyPfns())),
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
  async #read(moment: Moment, next: () => Promise<string>): Promise<string> {
    const reading = (this.#reading ??= next())
    reading.catch(() => undefined)
    const event = await this.#ports.wishes.race(reading, moment.signal, (wish) => moment.answers(wish))
    if (event === 'stop' || event === 'failover') return event
    this.#reading = undefined
    if (!moment.answers(event)) throw unexpected(event, 'where something else is due')
    if (event === 'yours') this.#ports.arbitration.handedOver('us')
    return event
  }

  /** A word, or the announcement of a checkpoint. */
  async #announced(): Promise<string> {
    const { link } = this.#ports
    const word = await link.word()
    if (word !== undefined) return word
    const told = await Promise.all(this.#lockstep.guests.map((guest) => guest.announced()))
    if (told.every(Boolean)) return 'checkpoint-new'
    throw new LinkError('LINK_LOST', 'the stream of the primary ended between two checkpoints')
  }

  async #next(): Promise<string> {
    const { guests } = this.#ports
    this.#counts = false
    const word = await this.#word()
    if (word !== undefined) return word
    const stops = await Promise.all(guests.map((guest) => guest.read()))
    if (stops.every(({ why }) => why === 'checkpoint')) return this.#epochEnd()
    const left = await this.#word() // the primary has given up in the middle of it
    if (left !== undefined) return left
    throw new LinkError('LINK_LOST', 'the stream of the primary ended within a checkpoint')
  }

  /** While a checkpoint is due a primary that lives may be silent for so long only. */
  #word(): Promise<string | undefined> {
    const { link, lockstep } = this.#ports
    return lockstep === undefined ? link.word() : inTime(link.word(), lockstep.clock, CHECKPOINT_IDLE_MS)
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
    await this.#unlessLost(this.#all((guest) => guest.received(this.#epoch, link.signal)))
    await this.#all((guest) => guest.store(this.#epoch))
    this.#stored = this.#epoch
    this.#epoch += 1
    this.#counts = true
  }

  /** @throws LinkError LINK_LOST when the primary is lost before */
  async #unlessLost(work: Promise<void>): Promise<void> {
    const { signal } = this.#ports.link
    let lost = (): void => undefined
    const failure = new Promise<never>((_, reject) => {
      lost = () => reject(asLost(signal.reason))
      if (signal.aborted) lost()
      signal.addEventListener('abort', lost, { once: true })
    })
    for (const one of [work, failure]) one.catch(() => undefined)
    await Promise.race([failure, work]).finally(() => signal.removeEventListener('abort', lost))
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

  async #takeOver({ event }: Moment): Promise<string | undefined> {
    const { arbitration } = this.#ports
    if (event === 'failover') arbitration.decidedByOperator()
    if (!(await arbitration.holds(never()))) return 'fenced'
    await this.#all((guest) => guest.complete(this.#stored, arbitration.token))
    this.#takenOver = true
    return (await arbitration.holds(never())) ? undefined : 'fenced' // that took a time
  }

  get #lockstep(): Lockstep {
    const { lockstep } = this.#ports
    if (lockstep === undefined) throw new ReplError('REPL_UNKNOWN_EFFECT', 'the guests of this secondary do not run', { hint: 'report this to the author of the strategy' })
    return lockstep
  }

  /** One after the other, so that what is said about them is in order. */
  async #each(work: (guest: LockstepGuest) => Promise<void>): Promise<void> {
    for (const guest of this.#lockstep.guests) await work(guest)
  }

  async #all(work: (guest: ShadowGuest) => Promise<void>): Promise<void> {
    await Promise.all(this.#ports.guests.map(work))
  }
}

const asLost = (reason: unknown): LinkError => new LinkError('LINK_LOST', reason instanceof Error ? reason.message : String(reason), { cause: reason })

const never = (): AbortSignalLike => new AbortController().signal
