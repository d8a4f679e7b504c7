import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import { drive, isEnd, isLinkLost, isSharedEffect, LinkError, ReplError, type EpochFacts, type OptionValues, type Role } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'
import type { Wish, Wishes } from './wishes.ts'

/** What an effect may want to know of the moment at which it is performed. */
export interface Moment {
  /** The event that led here. */
  readonly event: string
  /** Whether the table has an answer to an event now. */
  answers(event: string): boolean
  /** Aborts when what the effect does is of no use any more. */
  readonly signal: AbortSignalLike
}

/** The peer, as far as the running of a table needs it. */
export interface Peer {
  /** Aborts when the peer is gone, with why. */
  readonly signal: AbortSignalLike
  /** The next word of the peer, which stays until it is taken. Absent where words come with the stream. */
  heard?(): Promise<string>
  /** Takes that word. */
  take?(word: string): void
  /** Lets go of a peer that is of no use any more. */
  cut(error: unknown): void
}

export interface RolePorts {
  readonly role: Role
  readonly side: 'primary' | 'secondary'
  readonly options: OptionValues
  readonly clock: Clock
  readonly emit: Emit
  readonly peer: Peer
  readonly wishes: Wishes
  /** Ends everything at once; nothing is put in order then. */
  readonly signal: AbortSignalLike
  lastEpoch(): EpochFacts | undefined
  /** Waits until output of the two sides differs. @throws the reason of `signal`; what comparing failed with */
  diverged(signal: AbortSignalLike): Promise<string>
  /** Performs a shared effect. */
  shared(effect: string, moment: Moment): Promise<string | undefined>
}

/** How a table was gone through. */
export interface RoleEnd {
  readonly end: string
  /** What first went wrong, the loss of the link included. */
  readonly why: unknown
  /** Wishes that were seen to. */
  readonly granted: readonly Wish[]
}

/** Shared effects that take so long that words and wishes which end everything are not left to wait. */
const LONG: ReadonlySet<string> = new Set(['precopy', 'send-staged', 'send-memory', 'send-checkpoint'])

/**
 * Goes through the table of one side: shared effects are the toolstack's, others the strategy's. A lost link, a word of the peer and a wish of the
 * operator become events as soon as they are there.
 *
 * @throws what an effect throws where the table has no answer to `failed`; ReplError
 */
export async function runRole(ports: RolePorts): Promise<RoleEnd> {
  const run = new Run(ports)
  const { table, start, begin, lost } = ports.role
  const end = await drive(table, { start, begin, lost, signal: ports.signal, perform: (effect) => run.perform(effect), onMove: (from, event, to) => run.move(from, event, to) })
  return { end, why: run.why, granted: run.granted }
}

class Run {
  readonly granted: Wish[] = []
  why: unknown
  readonly #ports: RolePorts
  readonly #own: Readonly<Record<string, () => Promise<string | undefined>>>
  #state: string
  #event: string
  /** Ends what is under way. */
  #over = new AbortController()

  constructor(ports: RolePorts) {
    const { role, options, clock, wishes, signal } = ports
    this.#ports = ports
    this.#state = role.start
    this.#event = role.begin
    const sleep: Clock['sleep'] = (ms, own) => clock.sleep(ms, own ?? this.#over.signal)
    this.#own = role.effects({
      options,
      signal,
      clock: { now: () => clock.now(), sleep },
      request: () => this.#seen(wishes.take((wish) => this.#answers(wish))),
      requested: async (until) => this.#seen(await wishes.next(until, (wish) => this.#answers(wish))),
      diverged: (until) => ports.diverged(until),
      lastEpoch: () => ports.lastEpoch(),
    })
  }

  move(from: string, event: string, to: string): void {
    this.#state = to
    this.#event = event
    // Whoever asked a pair to change hands has not said that the peer is gone: that has to be asked for anew.
    if (event === this.#ports.role.lost) this.#ports.wishes.forget('failover')
    this.#ports.emit('strategy.move', { role: this.#ports.side, from, event, to })
  }

  async perform(effect: string): Promise<string | undefined> {
    this.#over = new AbortController()
    try {
      return await this.#begin(effect)
    } catch (error) {
      return this.#failed(error)
    } finally {
      this.#over.abort(new Error(`${effect} is over`))
    }
  }

  #begin(effect: string): Promise<string | undefined> {
    const moment: Moment = { event: this.#event, answers: (event) => this.#answers(event), signal: this.#over.signal }
    if (isSharedEffect(effect)) {
      const work = this.#ports.shared(effect, moment)
      return LONG.has(effect) ? this.#beside(work, 'long') : work
    }
    const own = Object.hasOwn(this.#own, effect) ? this.#own[effect] : undefined
    if (own === undefined) throw new ReplError('REPL_UNKNOWN_EFFECT', `nobody knows how to '${effect}'`, { hint: 'report this to the author of the strategy' })
    return this.#beside(own(), 'waiting')
  }

  /** Work, unless the link is lost or something comes that does not wait for it. `long`: only what leads to an end; `waiting`: every word. */
  #beside(work: Promise<string | undefined>, kind: 'long' | 'waiting'): Promise<string | undefined> {
    const { peer, role, wishes } = this.#ports
    if (!this.#answers(role.lost)) return work
    const { signal } = this.#over
    const watched = Promise.race([this.#unlessWord(work, kind), abortOf(peer.signal, signal)])
    if (kind === 'waiting') return watched
    return wishes.race(watched, signal, (wish) => this.#leadsToAnEnd(wish)).then((event) => (event === 'stop' || event === 'failover' ? this.#seen(event) : event))
  }

  /** Of work and word only what is first has an effect: a word that is not seen to stays. */
  #unlessWord(work: Promise<string | undefined>, kind: 'long' | 'waiting'): Promise<string | undefined> {
    const { peer } = this.#ports
    const heard = peer.heard?.()
    if (heard === undefined) return work
    return new Promise((resolve, reject) => {
      let open = true
      const settle = (how: () => void): void => {
        if (open) how()
        open = false
      }
      const fail = (error: unknown): void => settle(() => reject(error instanceof Error ? error : new Error(String(error))))
      work.then((event) => settle(() => resolve(event)), fail)
      heard.then((word) => {
        if (!open || (kind === 'long' && !this.#leadsToAnEnd(word))) return
        peer.take?.(word)
        if (this.#answers(word)) settle(() => resolve(word))
        else fail(unexpected(word, this.#state))
      }, fail)
    })
  }

  /** @throws what the drive is to know of it: a lost link, or an error that the table has no answer to */
  #failed(error: unknown): string {
    const { peer, role } = this.#ports
    if (peer.signal.aborted && this.#answers(role.lost)) {
      this.why ??= peer.signal.reason
      throw new LinkError('LINK_LOST', messageOf(peer.signal.reason), { cause: peer.signal.reason })
    }
    this.why ??= error
    if (isLinkLost(error) || isUnexpected(error)) peer.cut(error)
    if (isUnexpected(error) && this.#answers(role.lost)) return role.lost
    if (isLinkLost(error) || !this.#answers('failed')) throw error
    return 'failed'
  }

  #seen<W extends Wish | undefined>(wish: W): W {
    if (wish !== undefined) this.granted.push(wish)
    return wish
  }

  #answers(event: string): boolean {
    return Object.hasOwn(this.#ports.role.table[this.#state] ?? {}, event)
  }

  #leadsToAnEnd(event: string): boolean {
    const { table } = this.#ports.role
    const move = this.#answers(event) ? table[this.#state]?.[event] : undefined
    return move !== undefined && isEnd(table, move.to)
  }
}

/** What a peer said that the protocol does not allow there. */
export const unexpected = (word: string, state: string): ReplError => new ReplError('REPL_UNEXPECTED_EVENT', `the peer says '${word}' in state '${state}'`, { hint: 'use the same version of xr and of its plugins on both sides' })

const isUnexpected = (error: unknown): boolean => error instanceof ReplError && error.code === 'REPL_UNEXPECTED_EVENT'

const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason))

/** Fails when `signal` aborts, unless `over` does so first. */
function abortOf(signal: AbortSignalLike, over: AbortSignalLike): Promise<never> {
  return new Promise((_, reject) => {
    const lost = (): void => {
      done()
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    }
    const done = (): void => {
      signal.removeEventListener('abort', lost)
      over.removeEventListener('abort', done)
    }
    if (signal.aborted) return lost()
    signal.addEventListener('abort', lost, { once: true })
    over.addEventListener('abort', done, { once: true })
  })
}
