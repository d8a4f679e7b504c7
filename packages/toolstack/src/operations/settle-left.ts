import type { AbortSignalLike, DomainSummary } from '@xen-replication/hypervisor'
import type { GuestFate } from '../observe/tool-events.ts'
import { openArbiter, type ChosenArbiter } from '../replicate/arbiter-choice.ts'
import { Arbitration } from '../replicate/arbitration.ts'
import type { Wish } from '../replicate/wishes.ts'
import type { LeftNote } from '../running/left-notes.ts'
import type { Host } from './host.ts'
import type { Operation } from './operation.ts'

/** How long to wait before the arbiter is asked again, in milliseconds. */
const ASK_AGAIN_MS = 1000

export interface SettleRequest {
  readonly note: LeftNote
  /** How long the backup gets to ask the arbiter first, in milliseconds: it still has a process. */
  readonly graceMs: number
  /** Without an answer: `ask-on` until there is one or an operator decides; `give-up` at once. */
  readonly undecided: 'ask-on' | 'give-up'
}

/** How the guests stand now. `paused`: nobody could say who may run them. */
export type Settled = Extract<GuestFate, 'runs' | 'gone' | 'paused'>

/**
 * Decides over guests whose process died while it protected them: they stand until it is known who may run them, go on here when this side may, and are
 * destroyed when the other side has won. Guests that are gone by now, or are others by the same name, are left alone.
 *
 * @throws BackendError: they stand then
 */
export async function settleLeft(host: SettlingHost, request: SettleRequest, operation: Operation): Promise<Settled> {
  const stop = (): void => operation.wishes.ask('stop')
  if (operation.signal.aborted) stop()
  operation.signal.addEventListener('abort', stop, { once: true })
  try {
    return await new Settling(host, request, operation).run()
  } finally {
    operation.signal.removeEventListener('abort', stop)
  }
}

type SettlingHost = Pick<Host, 'backend' | 'clock' | 'collected'>

class Settling {
  readonly #host: SettlingHost
  readonly #request: SettleRequest
  readonly #operation: Operation

  constructor(host: SettlingHost, request: SettleRequest, operation: Operation) {
    this.#host = host
    this.#request = request
    this.#operation = operation
  }

  async run(): Promise<Settled> {
    for (const { domId } of await this.#left()) await this.#host.backend.lifecycle(domId).pause()
    this.#moved('lost', 'died', 'standing')
    let word = await this.#wait(this.#request.graceMs)
    while (word !== 'stop' && (await this.#left()).length > 0) {
      const answer = word === 'failover' ? 'won' : await this.#asked()
      if (answer === 'won') return this.#goOn()
      if (answer === 'lost' && this.#request.note.given !== true) return this.#end()
      this.#moved('standing', 'unknown', 'standing')
      if (this.#request.undecided === 'give-up') return 'paused'
      word = await this.#wait(ASK_AGAIN_MS)
    }
    return word === 'stop' ? 'paused' : 'gone'
  }

  /** A guest that was given away and could not be taken is nobody's: an arbiter that says `lost` does not say that the peer has it. */
  async #asked(): Promise<'won' | 'lost' | 'unknown'> {
    const { note: { arbiter, unsafe } } = this.#request
    let chosen: ChosenArbiter | undefined
    try {
      chosen = await openArbiter(this.#host.collected, { arbiter, unsafe }, never())
      return await this.#claimed(chosen)
    } catch {
      return 'unknown' // it could not be asked at all
    } finally {
      await chosen?.arbiter?.close()
    }
  }

  async #claimed(chosen: ChosenArbiter): Promise<'won' | 'lost' | 'unknown'> {
    const { guests: [first], session, token, given } = this.#request.note
    const claim = { guest: first?.uuid ?? '', session, side: 'primary' as const, ...(token === undefined ? {} : { token: BigInt(token) }) }
    const arbitration = new Arbitration({ ...chosen, claim, clock: this.#host.clock, emit: this.#operation.emit })
    if (given === true) arbitration.handedOver('them')
    const answer = await arbitration.claim(never())
    return answer === 'won' && !(await arbitration.holds(never())) ? 'unknown' : answer
  }

  /** Nobody else ends the holding back that the process has left in place. */
  async #goOn(): Promise<Settled> {
    for (const { domId } of await this.#left()) {
      const guest = await this.#host.backend.openForSave(domId)
      try {
        for (const device of guest.devices.filter(({ kind }) => kind !== 'guest')) {
          await device.setup()
          await device.teardown('release')
        }
        await guest.lifecycle.resume('cancelled')
        await guest.lifecycle.unpause()
      } finally {
        await guest.close()
      }
    }
    this.#moved('standing', 'won', 'alone')
    return 'runs'
  }

  async #end(): Promise<Settled> {
    for (const { domId } of await this.#left()) await this.#host.backend.lifecycle(domId).destroy()
    this.#moved('standing', 'lost', 'yielded')
    return 'gone'
  }

  /** Its guests that are still there. */
  async #left(): Promise<readonly DomainSummary[]> {
    const { guests } = this.#request.note
    return (await this.#host.backend.list()).filter(({ domId, uuid }) => guests.some((guest) => guest.domId === domId && guest.uuid === uuid))
  }

  async #wait(ms: number): Promise<Wish | undefined> {
    const over = new AbortController()
    const time = this.#host.clock.sleep(ms, over.signal).then(() => undefined)
    try {
      return await this.#operation.wishes.race(time, over.signal)
    } finally {
      over.abort(new Error('the waiting is over'))
      time.catch(() => undefined)
    }
  }

  #moved(from: string, event: string, to: string): void {
    this.#operation.emit('strategy.move', { role: 'primary', from, event, to })
  }
}

/** What decides over a guest is brought to its end. */
const never = (): AbortSignalLike => new AbortController().signal
