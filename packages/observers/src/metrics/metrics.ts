import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import type { Registry } from 'prom-client'
import { Missed } from '../report/missed.ts'
import { Running, type RunningFacts } from '../running.ts'
import { instruments, type Instruments } from './instruments.ts'

/** Guests that are told apart by name; others count together, so that names from outside cannot fill the memory. */
const GUESTS_MAX = 100
const OTHERS = '(others)'

interface Facts extends RunningFacts {
  missed: Missed | undefined
  /** Bytes that the save had sent when it was told of last. */
  sent: number
  /** The state of its strategy that is shown. */
  state: { readonly role: string; readonly state: string } | undefined
}

/** Counts what events tell, in a registry of prom-client. */
export class Metrics {
  readonly #to: Instruments
  readonly #running = new Running<Facts>((verb, guest) => ({ verb, guest, missed: undefined, sent: 0, state: undefined }))
  readonly #guests = new Set<string>()
  readonly #now: () => number

  /** @param now seconds since 1970 */
  constructor(registry: Registry, library: typeof import('prom-client'), now: () => number) {
    this.#to = instruments(registry, library)
    this.#now = now
  }

  observe(event: AnyObservedEvent): void {
    if (event.kind === 'operation.begin') {
      this.#running.begin(event.operation, event.data.verb, this.#known(event.data.guest ?? ''))
      return this.#to.running.inc({ verb: event.data.verb })
    }
    const facts = this.#running.of(event)
    if (facts !== undefined) this.#count(event, facts)
  }

  #count(event: AnyObservedEvent, facts: Facts): void {
    const { guest, verb } = facts
    const to = this.#to
    switch (event.kind) {
      case 'operation.end':
        return this.#end(event, facts)
      case 'guest.announced':
        facts.guest = this.#known(event.data.guest)
        return undefined
      case 'save.pages':
        return this.#sent(facts, event.data.bytes)
      case 'link.down':
        return to.linkLost.inc({ verb })
      case 'arbiter.answer':
        return to.answers.inc({ answer: event.data.answer })
      case 'replication.begin': {
        const { interval, adaptive } = event.data.options
        facts.missed = typeof interval === 'number' && adaptive !== true ? new Missed(interval) : undefined
        return undefined
      }
      case 'strategy.move':
        return this.#move(facts, event.data.role, event.data.to)
      case 'epoch.staged':
        to.pause.observe({ guest }, event.data.pauseMs / 1000)
        to.pages.observe({ guest }, event.data.pages)
        return to.bytes.inc({ guest }, event.data.bytes)
      case 'epoch.acknowledged':
        return this.#acknowledged(facts, event.at, event.data.latencyMs)
      case 'epoch.released':
        return event.data.epoch === 0 ? undefined : to.held.observe({ guest }, event.data.heldMs / 1000)
    }
  }

  #end({ operation, data }: Extract<AnyObservedEvent, { readonly kind: 'operation.end' }>, facts: Facts): void {
    const { verb, guest, state } = facts
    this.#to.running.dec({ verb })
    this.#to.operations.inc({ verb, outcome: data.outcome, code: data.code ?? '' })
    this.#to.seconds.observe({ verb, outcome: data.outcome }, data.seconds)
    if (state !== undefined) this.#to.state.remove({ guest, ...state })
    this.#running.end(operation)
  }

  /** `bytes` counts from the beginning of the save. */
  #sent(facts: Facts, bytes: number): void {
    this.#to.sent.inc({ verb: facts.verb, guest: facts.guest }, Math.max(0, bytes - facts.sent))
    facts.sent = bytes
  }

  #move(facts: Facts, role: string, to: string): void {
    const { guest, state } = facts
    if (state?.role === role && state.state === to) return
    if (state !== undefined) this.#to.state.remove({ guest, ...state })
    facts.state = { role, state: to }
    this.#to.state.set({ guest, role, state: to }, 1)
  }

  #acknowledged({ guest, missed }: Facts, at: number, latencyMs: number): void {
    const to = this.#to
    to.acknowledged.inc({ guest })
    to.latency.observe({ guest }, latencyMs / 1000)
    to.lastAcknowledged.set({ guest }, this.#now())
    if (missed === undefined) return
    const before = missed.count
    missed.began(at - latencyMs)
    to.missed.inc({ guest }, missed.count - before)
  }

  #known(guest: string): string {
    if (this.#guests.size < GUESTS_MAX) this.#guests.add(guest)
    return this.#guests.has(guest) ? guest : OTHERS
  }
}
