import type { Packet } from '@xen-replication/backend-mock'

/** Operations of the guest that make one request. */
export const OPS_A_REQUEST = 100

/** A client of the simulated server, outside both hosts: it knows what it has been answered, and nothing else. */
export class DemoClient {
  readonly #answered = new Set<number>()
  #last = 0
  #lastAt = 0
  #gapMs = 0

  /** An answer has come. @param at milliseconds since 1970 */
  hear({ number }: Packet, at: number): void {
    if (this.#lastAt > 0) this.#gapMs = Math.max(this.#gapMs, at - this.#lastAt)
    this.#answered.add(number)
    this.#last = Math.max(this.#last, number)
    this.#lastAt = at
  }

  /** How many requests were answered. */
  get answered(): number {
    return this.#answered.size
  }

  /** The last request that was answered. */
  get last(): number {
    return this.#last
  }

  /** The longest time without an answer, in milliseconds. */
  get longestGapMs(): number {
    return this.#gapMs
  }

  /** Requests before the last answer that nobody answered: their answers died with a host. The client asks again. */
  get unanswered(): number {
    return this.#last - this.#answered.size
  }

  /** Answered requests up to a number of which a server that has served so many knows nothing. */
  lostAt(served: number, upTo: number): number {
    return [...this.#answered].filter((number) => number > served && number <= upTo).length
  }
}
