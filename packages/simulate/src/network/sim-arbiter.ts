import type { AbortSignalLike, Arbiter, Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import type { SimProcess } from '../time/sim-process.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { Network } from './network.ts'

/** How long a client waits for an answer before it says that it is unknown, in true milliseconds. */
const ANSWER_MS = 250

/** The arbiter: the first claim of a session wins for ever. */
export class SimArbiter {
  readonly #time: VirtualTime
  readonly #network: Network
  readonly #grants = new Map<string, Grant>()
  #token = 0n
  #state: 'up' | 'down' = 'up'
  onVerdict: (claim: Claim, verdict: Verdict) => void = () => undefined

  constructor(time: VirtualTime, network: Network) {
    this.#time = time
    this.#network = network
  }

  set state(state: 'up' | 'down') {
    this.#state = state
  }

  /** Who has won, if anybody did. */
  get winner(): Claim['side'] | undefined {
    return this.#grants.values().next().value?.claim.side
  }

  /** The arbiter as a process on a host reaches it. */
  client(process: SimProcess, site: 'a' | 'b'): Arbiter {
    return {
      claim: async (claim, signal) => (await this.#ask(process, site, signal, () => this.#decide(claim))) ?? { answer: 'unknown', reason: 'the arbiter does not answer' },
      holds: async (grant, signal) => (await this.#ask(process, site, signal, () => this.#grants.get(keyOf(grant.claim))?.token === grant.token)) ?? false,
      close: () => Promise.resolve(),
    }
  }

  /** A question and its answer, each of which may be lost or late. @returns undefined when no answer came in time */
  #ask<T>(process: SimProcess, site: 'a' | 'b', signal: AbortSignalLike, decide: () => T): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      const late = process.after(ANSWER_MS, () => resolve(undefined))
      const answered = (answer: T): void =>
        process.run(() => {
          late()
          resolve(answer)
        })
      const back = (answer: T): void => this.#carry('arbiter', site, () => answered(answer))
      this.#carry(site, 'arbiter', () => {
        if (this.#state === 'up') back(decide())
      })
      return undefined
    })
  }

  #carry(from: 'a' | 'b' | 'arbiter', to: 'a' | 'b' | 'arbiter', arrive: () => void): void {
    this.#time.after(this.#network.delay(), () => this.#network.whenOpen(from, to, arrive))
  }

  #decide(claim: Claim): Verdict {
    const won = this.#grants.get(keyOf(claim))
    if (won === undefined) this.#token += 1n
    const grant = won ?? { claim, token: this.#token }
    this.#grants.set(keyOf(claim), grant)
    const verdict: Verdict = grant.claim.side === claim.side ? { answer: 'granted', grant } : { answer: 'denied', reason: `the ${grant.claim.side} has won` }
    this.onVerdict(claim, verdict)
    return verdict
  }
}

const keyOf = ({ guest, session }: Claim): string => `${guest} ${session}`
