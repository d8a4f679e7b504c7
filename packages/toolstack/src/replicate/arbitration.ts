import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import type { Arbiter, Claim, Grant } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'

/** How two sides agree on who decides when the link dies. As on the wire: 0, 1, 2. */
export const ARBITRATIONS = ['none', 'arbiter', 'unsafe'] as const
export type ArbitrationKind = (typeof ARBITRATIONS)[number]

/** How long an arbiter may take for an answer, in milliseconds: one that switches a host off needs longer than one that looks something up. */
const ANSWER_MS = 90_000
/** How long it may take to say whether a later token was granted, in milliseconds: output waits for it only where nobody has looked lately. */
const LOOK_MS = 1000
/** What was looked at no longer ago counts, in milliseconds, where nobody says otherwise. */
const FRESH_MS = 300

export interface ArbitrationPorts {
  readonly kind: ArbitrationKind
  /** Of the kind `arbiter`. */
  readonly arbiter: Arbiter | undefined
  readonly claim: Claim
  /** A pair that was together so long ago may have been parted since, in milliseconds: the silence after which the peer takes over. */
  readonly freshMs?: number | undefined
  readonly clock: Clock
  readonly emit: Emit
}

/**
 * Decides whether this side may run the guest alone. Without an arbiter the primary may and the secondary may not, so that there are never two; that
 * changes when the guest is handed over. `unsafe`: each side may.
 */
export class Arbitration {
  readonly #ports: ArbitrationPorts
  #grant: Grant | undefined
  /** Who has the guest by the word of the peer or of the operator. */
  #word: 'ours' | 'theirs' | undefined
  #byOperator = false
  #lookedAt = -Infinity
  #looking: Promise<void> | undefined
  /** A token granted to another session since this one was made. */
  #later: bigint | undefined

  constructor(ports: ArbitrationPorts) {
    this.#ports = ports
  }

  /** The fencing token of what was won; 0 where nobody gives any. */
  get token(): bigint {
    return this.#grant?.token ?? 0n
  }

  /** The token under which this pair works: none of those granted before it was made is greater. */
  get base(): bigint {
    return this.#ports.claim.token ?? 0n
  }

  /**
   * Looks whether this pair still has the guest: no greater token was granted to another one since. Output is let go only then. An arbiter that cannot
   * be asked changes nothing while there is a peer that acknowledges.
   *
   * @returns why not; undefined when it has.
   */
  async outdated(signal: AbortSignalLike): Promise<string | undefined> {
    const { clock, arbiter, claim, freshMs = FRESH_MS } = this.#ports
    if (arbiter?.latest === undefined || claim.token === undefined) return undefined
    const age = clock.now() - this.#lookedAt
    if (age > freshMs / 2) this.#looking ??= this.#look((over) => arbiter.latest?.(claim.guest, over), claim.token, signal)
    if (age > freshMs) await this.#looking
    return this.#later === undefined ? undefined : `token ${this.#later} was granted to another pair since this one was made, under ${this.base}`
  }

  /** The peer has given the guest to us, or we to it. */
  handedOver(to: 'us' | 'them'): void {
    this.#word = to === 'us' ? 'ours' : 'theirs'
  }

  /** The operator says that this side is to run the guest, and takes care of the other one. */
  decidedByOperator(): void {
    this.#byOperator = true
  }

  /** Never throws: what cannot be found out is unknown. */
  async claim(signal: AbortSignalLike): Promise<'won' | 'lost' | 'unknown'> {
    const { claim, emit } = this.#ports
    const { answer, reason } = await this.#ask(signal)
    emit('arbiter.answer', { session: claim.session, answer, reason })
    return answer === 'granted' ? 'won' : answer === 'denied' ? 'lost' : 'unknown'
  }

  /** Whether what was won still stands. Looked at before output is released or a disk is written alone. Never throws. */
  async holds(signal: AbortSignalLike): Promise<boolean> {
    const { kind, arbiter } = this.#ports
    if (this.#byOperator || kind === 'unsafe') return true
    if (kind === 'none') return this.#withoutArbiter() === 'granted'
    const grant = this.#grant
    if (grant === undefined || arbiter === undefined) return false
    return (await this.#inTime((over) => arbiter.holds(grant, over), signal, ANSWER_MS).catch(() => false)) === true
  }

  async #ask(signal: AbortSignalLike): Promise<{ readonly answer: 'granted' | 'denied' | 'unknown'; readonly reason: string | undefined }> {
    const { kind, arbiter, claim } = this.#ports
    if (kind === 'unsafe') return { answer: 'granted', reason: 'nobody is asked' }
    if (kind === 'none' || arbiter === undefined) return { answer: this.#withoutArbiter(), reason: 'there is no arbiter' }
    try {
      const verdict = await this.#inTime((over) => arbiter.claim(claim, over), signal, ANSWER_MS)
      if (verdict === undefined) return { answer: 'unknown', reason: `no answer within ${ANSWER_MS} ms` }
      if (verdict.answer !== 'granted') return verdict
      const { token } = verdict.grant
      if (claim.token !== undefined && token <= claim.token) {
        return { answer: 'unknown', reason: `it grants token ${token}, and ${claim.token} was granted before this pair was made: it has lost what it knew` }
      }
      this.#grant = verdict.grant
      return { answer: 'granted', reason: undefined }
    } catch (error) {
      return { answer: 'unknown', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Never throws. */
  async #look(ask: (signal: AbortSignalLike) => Promise<bigint> | undefined, token: bigint, signal: AbortSignalLike): Promise<void> {
    const latest = await this.#inTime(async (over) => ask(over), signal, LOOK_MS).catch(() => undefined)
    if (latest !== undefined && latest > token) this.#later = latest
    this.#lookedAt = this.#ports.clock.now()
    this.#looking = undefined
  }

  #withoutArbiter(): 'granted' | 'unknown' {
    const first = this.#ports.claim.side === 'primary' ? 'ours' : 'theirs'
    return (this.#word ?? first) === 'ours' ? 'granted' : 'unknown'
  }

  /** @returns undefined when the time is over */
  async #inTime<T>(work: (signal: AbortSignalLike) => Promise<T>, signal: AbortSignalLike, ms: number): Promise<T | undefined> {
    const over = new AbortController()
    const stop = (): void => over.abort(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const late = this.#ports.clock.sleep(ms, over.signal).then(() => undefined)
    const done = work(over.signal)
    try {
      return await Promise.race([done, late])
    } finally {
      signal.removeEventListener('abort', stop)
      for (const pending of [done, late]) pending.catch(() => undefined)
      over.abort(new Error('the time to ask the arbiter is over'))
    }
  }
}
