import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import type { Arbiter, Claim, Grant } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'

/** How two sides agree on who decides when the link dies. As on the wire: 0, 1, 2. */
export const ARBITRATIONS = ['none', 'arbiter', 'unsafe'] as const
export type ArbitrationKind = (typeof ARBITRATIONS)[number]

/** How long an arbiter may take for an answer, in milliseconds: one that switches a host off needs longer than one that looks something up. */
const ANSWER_MS = 90_000

export interface ArbitrationPorts {
  readonly kind: ArbitrationKind
  /** Of the kind `arbiter`. */
  readonly arbiter: Arbiter | undefined
  readonly claim: Claim
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

  constructor(ports: ArbitrationPorts) {
    this.#ports = ports
  }

  /** The fencing token of what was won; 0 where nobody gives any. */
  get token(): bigint {
    return this.#grant?.token ?? 0n
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
    return (await this.#inTime((over) => arbiter.holds(grant, over), signal).catch(() => false)) === true
  }

  async #ask(signal: AbortSignalLike): Promise<{ readonly answer: 'granted' | 'denied' | 'unknown'; readonly reason: string | undefined }> {
    const { kind, arbiter, claim } = this.#ports
    if (kind === 'unsafe') return { answer: 'granted', reason: 'nobody is asked' }
    if (kind === 'none' || arbiter === undefined) return { answer: this.#withoutArbiter(), reason: 'there is no arbiter' }
    try {
      const verdict = await this.#inTime((over) => arbiter.claim(claim, over), signal)
      if (verdict === undefined) return { answer: 'unknown', reason: `no answer within ${ANSWER_MS} ms` }
      if (verdict.answer !== 'granted') return verdict
      this.#grant = verdict.grant
      return { answer: 'granted', reason: undefined }
    } catch (error) {
      return { answer: 'unknown', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  #withoutArbiter(): 'granted' | 'unknown' {
    const first = this.#ports.claim.side === 'primary' ? 'ours' : 'theirs'
    return (this.#word ?? first) === 'ours' ? 'granted' : 'unknown'
  }

  /** @returns undefined when the time is over */
  async #inTime<T>(work: (signal: AbortSignalLike) => Promise<T>, signal: AbortSignalLike): Promise<T | undefined> {
    const over = new AbortController()
    const stop = (): void => over.abort(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const late = this.#ports.clock.sleep(ANSWER_MS, over.signal).then(() => undefined)
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
