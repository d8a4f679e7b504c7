import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import { LinkError, ReplError, type EpochFacts } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'
import type { Arbitration } from './arbitration.ts'
import type { OutputCheck } from './compared-output.ts'
import type { ProtectedGuest } from './protected-guest.ts'
import { unexpected, type Moment, type Peer } from './run-role.ts'

/** What a primary whose guest runs on both hosts needs beside. `LockstepSender` of the session is the link. */
export interface PrimaryLockstep {
  /** The pfns that the secondary's guest has written. */
  dirtyPfns(): Promise<readonly number[]>
  /** Sends what was written up to now. */
  flush(): Promise<void>
  /** Undefined where nobody compares output. */
  readonly output: OutputCheck | undefined
}

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
  /** Where the guests run on both hosts. */
  readonly lockstep?: PrimaryLockstep | undefined
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
  /** The epoch that ended last; that which runs may be a later one already. */
  #staged = 0
  /** Pfns that the secondary's guests have written, by guest. */
  #more: (readonly number[])[] = []
  /** What is told once it is known how long the guest stood. */
  #untold: (() => void)[] = []

  constructor(ports: PrimaryPorts) {
    this.#ports = ports
    this.#effects = {
      precopy: ({ signal }) => this.#each((guest) => guest.precopy(signal)),
      suspend: () => this.#suspend(),
      postsuspend: () => this.#postsuspend(),
      stage: () => this.#each((guest) => guest.stage()),
      'read-dirty-list': () => this.#readDirtyLists(),
      'send-memory': () => this.#sendMemory(),
      'send-checkpoint': () => this.#sendCheckpoint(),
      preresume: () => this.#preresume(),
      resume: () => this.#resume(),
      stand: () => this.#all((guest) => guest.stand()),
      'send-staged': () => this.#send(),
      expect: (moment) => this.#expect(moment),
      commit: () => this.#commit(),
      arbitrate: () => this.#ports.arbitration.claim(never()),
      'take-over': (moment) => this.#takeOver(moment),
      destroy: async () => {
        await this.#ports.lockstep?.output?.end('drop')
        await this.#all((guest) => guest.destroy())
      },
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
    this.#standing = this.#ports.guests.some((guest) => guest.standsUntilStored) && this.#ports.lockstep === undefined ? 'due' : 'no'
    if (this.#standing === 'no') await this.#all((guest) => guest.preresume(this.#staged))
  }

  async #resume(): Promise<void> {
    this.#standing = this.#standing === 'due' ? 'yes' : 'no'
    if (this.#standing === 'no') await this.#goOn()
  }

  async #goOn(): Promise<void> {
    this.#ports.lockstep?.output?.go()
    await this.#all((guest) => guest.resume())
    this.#pauseMs ??= this.#ports.clock.now() - this.#suspendedAt
    this.#tell()
  }

  async #postsuspend(): Promise<void> {
    const output = this.#ports.lockstep?.output
    this.#staged = this.#epoch
    if (this.#epoch === 0) await output?.begin()
    await this.#all((guest) => guest.postsuspend(this.#epoch))
    await output?.stand()
  }

  async #readDirtyLists(): Promise<void> {
    const { lockstep, guests } = this.#ports
    if (lockstep === undefined) throw new ReplError('REPL_UNKNOWN_EFFECT', 'the peer has no guest that runs', { hint: 'report this to the author of the strategy' })
    const lists: (readonly number[])[] = []
    while (lists.length < guests.length) lists.push(await lockstep.dirtyPfns())
    this.#more = lists
  }

  async #sendMemory(): Promise<void> {
    for (const [member, guest] of this.#ports.guests.entries()) await guest.sendMemory(this.#more[member] ?? [])
    this.#more = []
  }

  async #sendCheckpoint(): Promise<void> {
    const { link, guests, emit, clock } = this.#ports
    for (const guest of guests) await guest.sendState()
    await link.endEpoch(this.#epoch)
    const parts = guests.map(({ epoch }) => epoch)
    const staged = { epoch: this.#epoch, pages: sum(parts.map((part) => part.pages)), bytes: sum(parts.map((part) => part.bytes)) }
    this.#pauseMs = undefined
    this.#untold = [() => emit('epoch.staged', { ...staged, pauseMs: this.#pauseMs ?? 0 })]
    this.#facts = { ...staged, pauseMs: clock.now() - this.#suspendedAt }
  }

  #tell(): void {
    for (const tell of this.#untold.splice(0)) tell()
  }

  async #send(): Promise<void> {
    const { link, guests, clock } = this.#ports
    const parts = guests.map(({ epoch }) => epoch)
    const [pages, bytes] = [sum(parts.map((part) => part.pages)), sum(parts.map((part) => part.bytes))]
    if (this.#standing === 'no') this.#tellStaged({ pages, bytes }, (this.#pauseMs ??= clock.now() - this.#suspendedAt)) // or it does not go on here before the backup has it
    for (const guest of guests) await guest.send()
    await link.endEpoch(this.#epoch)
    if (this.#standing === 'yes') this.#sent = { pages, bytes }
  }

  #tellStaged({ pages, bytes }: Sent, pauseMs: number): void {
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
      if (this.#sent !== undefined) this.#tellStaged(this.#sent, this.#latencyMs) // it stands until now
      this.#sent = undefined
      const told = { epoch: this.#epoch, latencyMs: this.#latencyMs }
      if (this.#untold.length > 0) this.#untold.push(() => emit('epoch.acknowledged', told))
      else emit('epoch.acknowledged', told)
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
    await this.#ports.lockstep?.output?.checkpoint()
    await this.#all((guest) => guest.commit(this.#epoch))
    const told = { epoch: this.#epoch, heldMs: clock.now() - (this.#heldSince ?? this.#suspendedAt) }
    if (this.#untold.length > 0) this.#untold.push(() => emit('epoch.released', told))
    else emit('epoch.released', told)
    this.#last = this.#facts === undefined ? undefined : { ...this.#facts, latencyMs: this.#latencyMs, outputs }
    this.#heldSince = this.#suspendedAt
    this.#pauseMs = undefined
    this.#epoch += 1
  }

  async #say(word: string): Promise<undefined> {
    if (word === 'checkpoint-new') return this.#announce()
    if (word === 'yours') {
      this.#ports.arbitration.handedOver('them')
      this.#tell()
    }
    await this.#ports.link.say(word)
  }

  /** In the stream itself, as the written protocol has it. */
  async #announce(): Promise<undefined> {
    for (const guest of this.#ports.guests) await guest.announce()
    await this.#ports.lockstep?.flush()
  }

  async #takeOver({ event }: Moment): Promise<string | undefined> {
    const { arbitration } = this.#ports
    if (event === 'failover') arbitration.decidedByOperator()
    if (!(await arbitration.holds(never()))) return 'fenced'
    await this.#letGo()
    return undefined
  }

  /** Without a peer that could have an earlier state: what is held may be seen. */
  #release(): Promise<void> {
    return this.#letGo()
  }

  async #letGo(): Promise<void> {
    await this.#ports.lockstep?.output?.end('release')
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
