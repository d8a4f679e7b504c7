import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import { LinkError, ReplError, type EpochFacts } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'
import type { Arbitration } from './arbitration.ts'
import type { ProtectedGuest } from './protected-guest.ts'
import { unexpected, type Moment, type Peer } from './run-role.ts'

/** The way to a backup. `EpochSender` of the session is one. */
export interface PrimaryLink extends Peer {
  sink(member: number): ByteSink
  /** All of the epoch was written. */
  endEpoch(epoch: number): Promise<void>
  say(word: string): Promise<void>
  /** The next word of the peer; `stored` once it has the epoch that was sent last. */
  next(): Promise<string>
  heard(): Promise<string>
}

export interface PrimaryPorts {
  /** They are suspended, sent and committed together. */
  readonly guests: readonly ProtectedGuest[]
  readonly link: PrimaryLink
  readonly arbitration: Arbitration
  readonly clock: Clock
  readonly emit: Emit
}

interface Sent {
  readonly pages: number
  readonly bytes: number
}

type Effect = (moment: Moment) => Promise<string | undefined | void>

/** Performs the shared effects of a primary. Output of an epoch is let go by `commit` alone, and only when the peer has said that it has it. */
export class Primary {
  readonly #ports: PrimaryPorts
  readonly #effects: Readonly<Record<string, Effect>>
  /** The epoch that runs, or is on its way. */
  #epoch = 0
  #acknowledged = -1
  /** When the output of the epoch began to be held back; undefined before any is. */
  #heldSince: number | undefined
  #suspendedAt = 0
  #pauseMs: number | undefined
  #latencyMs = 0
  /** Whether guests stand until the epoch is stored: not, from the next `resume` on, or now. */
  #standing: 'no' | 'due' | 'yes' = 'no'
  /** What was sent of an epoch for which they stand. */
  #sent: Sent | undefined
  #facts: Omit<EpochFacts, 'latencyMs' | 'outputs'> | undefined
  #last: EpochFacts | undefined

  constructor(ports: PrimaryPorts) {
    this.#ports = ports
    this.#effects = {
      precopy: ({ signal }) => this.#each((guest) => guest.precopy(signal)),
      suspend: () => this.#suspend(),
      postsuspend: () => this.#all((guest) => guest.postsuspend(this.#epoch)),
      stage: () => this.#each((guest) => guest.stage()),
      preresume: () => this.#preresume(),
      resume: () => this.#resume(),
      stand: () => this.#all((guest) => guest.stand()),
      'send-staged': () => this.#send(),
      expect: (moment) => this.#expect(moment),
      commit: () => this.#commit(),
      arbitrate: () => this.#ports.arbitration.claim(never()),
      'take-over': (moment) => this.#takeOver(moment),
      destroy: () => this.#all((guest) => guest.destroy()),
      'release-guest': () => this.#release(),
    }
  }

  /** Epochs that the backup has acknowledged. */
  get epochs(): number {
    return this.#acknowledged + 1
  }

  /** The last epoch that the backup acknowledged. */
  get lastEpoch(): EpochFacts | undefined {
    return this.#last
  }

  async perform(effect: string, moment: Moment): Promise<string | undefined> {
    if (effect.startsWith('send:')) return this.#say(effect.slice(5))
    const known = Object.hasOwn(this.#effects, effect) ? this.#effects[effect] : undefined
    if (known === undefined) throw new ReplError('REPL_UNKNOWN_EFFECT', `a primary cannot '${effect}'`, { hint: 'report this to the author of the strategy' })
    return (await known(moment)) ?? undefined
  }

  async #suspend(): Promise<void> {
    this.#suspendedAt = this.#ports.clock.now()
    this.#heldSince ??= this.#suspendedAt
    await this.#all((guest) => guest.suspend())
  }

  /** Where one of the guests has to stand until the epoch is stored, all do: the `resume` that follows is left to `commit`. */
  async #preresume(): Promise<void> {
    this.#standing = this.#ports.guests.some((guest) => guest.standsUntilStored) ? 'due' : 'no'
    if (this.#standing === 'no') await this.#all((guest) => guest.preresume(this.#epoch))
  }

  async #resume(): Promise<void> {
    this.#standing = this.#standing === 'due' ? 'yes' : 'no'
    if (this.#standing === 'no') await this.#goOn()
  }

  async #goOn(): Promise<void> {
    await this.#all((guest) => guest.resume())
    this.#pauseMs ??= this.#ports.clock.now() - this.#suspendedAt
  }

  async #send(): Promise<void> {
    const { link, guests, clock } = this.#ports
    const parts = guests.map(({ epoch }) => epoch)
    const [pages, bytes] = [sum(parts.map((part) => part.pages)), sum(parts.map((part) => part.bytes))]
    if (this.#standing === 'no') this.#staged({ pages, bytes }, (this.#pauseMs ??= clock.now() - this.#suspendedAt)) // or it does not go on here before the backup has it
    for (const guest of guests) await guest.send()
    await link.endEpoch(this.#epoch)
    if (this.#standing === 'yes') this.#sent = { pages, bytes }
  }

  #staged({ pages, bytes }: Sent, pauseMs: number): void {
    this.#facts = { epoch: this.#epoch, pages, bytes, pauseMs }
    this.#ports.emit('epoch.staged', this.#facts)
  }

  async #expect(moment: Moment): Promise<string> {
    const { link, clock, emit } = this.#ports
    const word = await link.next()
    if (!moment.answers(word)) throw unexpected(word, 'where something else is due')
    if (word === 'stored') {
      this.#acknowledged = this.#epoch
      this.#latencyMs = clock.now() - this.#suspendedAt
      if (this.#sent !== undefined) this.#staged(this.#sent, this.#latencyMs) // it stands until now
      this.#sent = undefined
      emit('epoch.acknowledged', { epoch: this.#epoch, latencyMs: this.#latencyMs })
    }
    return word
  }

  async #commit(): Promise<void> {
    const { clock, emit, guests, arbitration } = this.#ports
    if (this.#acknowledged !== this.#epoch) throw new ReplError('REPL_UNEXPECTED_EVENT', `epoch ${this.#epoch} is to be released and was not acknowledged`, { hint: 'report this to the author of the strategy' })
    const outdated = await arbitration.outdated(never())
    if (outdated !== undefined) throw new LinkError('LINK_LOST', `this pair has the guest no more: ${outdated}`, { hint: 'look where the guest runs' })
    if (this.#standing === 'yes') {
      await this.#all((guest) => guest.preresume(this.#epoch))
      await this.#resume()
    }
    const outputs = sum(await Promise.all(guests.map((guest) => guest.waiting())))
    await this.#all((guest) => guest.commit(this.#epoch))
    emit('epoch.released', { epoch: this.#epoch, heldMs: clock.now() - (this.#heldSince ?? this.#suspendedAt) })
    this.#last = this.#facts === undefined ? undefined : { ...this.#facts, latencyMs: this.#latencyMs, outputs }
    this.#heldSince = this.#suspendedAt
    this.#pauseMs = undefined
    this.#epoch += 1
  }

  async #say(word: string): Promise<undefined> {
    if (word === 'yours') this.#ports.arbitration.handedOver('them')
    await this.#ports.link.say(word)
  }

  async #takeOver({ event }: Moment): Promise<string | undefined> {
    const { arbitration } = this.#ports
    if (event === 'failover') arbitration.decidedByOperator()
    if (!(await arbitration.holds(never()))) return 'fenced'
    await this.#all((guest) => guest.letGo('release'))
    return undefined
  }

  /** Without a peer that could have an earlier state: what is held may be seen. */
  async #release(): Promise<void> {
    await this.#all((guest) => guest.letGo('release'))
  }

  async #all(work: (guest: ProtectedGuest) => Promise<void>): Promise<void> {
    await Promise.all(this.#ports.guests.map(work))
  }

  async #each(work: (guest: ProtectedGuest) => Promise<void>): Promise<void> {
    for (const guest of this.#ports.guests) await work(guest)
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

/** What decides over a guest is brought to its end. */
const never = (): AbortSignalLike => new AbortController().signal
