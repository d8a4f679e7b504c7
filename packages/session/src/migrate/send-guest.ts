import { drive, type AbortSignalLike } from '@xen-replication/plugin-api'
import { reasonOf } from '../frame/reason.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { StreamSink } from '../stream/stream-sink.ts'
import { endWith } from '../wire/end-with.ts'
import { within } from '../wire/within.ts'
import { eventOf } from './event-of.ts'
import type { SourceGuest } from './guests.ts'
import { sendTable, type SendEffect, type SendEvent, type SendState } from './table.ts'

/** How a migration ended at the sender. */
export interface SendResult {
  /** `moved`: the guest runs at the peer, the copy here is gone. `kept`: it goes on here. `undecided`: it stands still here and may run at the peer. */
  readonly end: 'moved' | 'kept' | 'undecided'
  /** Why it did not move: SESSION_UNDECIDED when that is not known, else the first error. */
  readonly why: unknown
  /** What could not be done in the end: resuming, or destroying the copy here. */
  readonly trouble: unknown
}

export interface SendTimes {
  /** How long the receiver may take from the last byte until the guest is built, in ms. */
  readonly receivedMs?: number
  /** How long it may take to let it run, in ms. */
  readonly runningMs?: number
  /** Told of every move. */
  readonly onMove?: (from: SendState, event: SendEvent, to: SendState) => void
}

/** A device model that has to be started, on a host that is busy. */
const RECEIVED_MS = 300_000
const RUNNING_MS = 60_000

/**
 * Moves a guest to the peer of a session, and ends the session. Never fails: see the result.
 *
 * @param signal gives up; it is not looked at once the guest is handed over.
 */
export async function sendGuest(session: Session, guest: SourceGuest, signal: AbortSignalLike, times: SendTimes = {}): Promise<SendResult> {
  const run = new Sending(session, guest, signal, times)
  const end = await drive(sendTable, {
    start: 'start', begin: 'begin', lost: 'peer-lost', perform: (effect) => run.perform(effect), ...(times.onMove === undefined ? {} : { onMove: times.onMove }),
  })
  await session.end()
  return run.result(end)
}

class Sending {
  readonly #session: Session
  readonly #guest: SourceGuest
  /** Ends the listening to whoever wants to give up. */
  readonly #noReturn: () => void
  readonly #times: SendTimes
  #why: unknown
  #trouble: unknown

  constructor(session: Session, guest: SourceGuest, signal: AbortSignalLike, times: SendTimes) {
    this.#session = session
    this.#guest = guest
    this.#noReturn = endWith(session, signal)
    this.#times = times
  }

  result(end: SendState): SendResult {
    this.#noReturn()
    if (end !== 'undecided') return { end: end as 'moved' | 'kept', why: this.#why, trouble: this.#trouble }
    const why = new SessionError('SESSION_UNDECIDED', `the guest was handed over and the peer did not say that it runs: ${reasonOf(this.#why).message}`, { cause: this.#why })
    return { end, why, trouble: this.#trouble }
  }

  async perform(effect: SendEffect): Promise<SendEvent | undefined> {
    try {
      return await this[effect]()
    } catch (error) {
      this.#why ??= error
      return eventOf(error)
    }
  }

  async save(): Promise<SendEvent> {
    try {
      this.#session.flow.expect(this.#guest.leastBytes ?? 0)
      const sink = new StreamSink(this.#session)
      await this.#guest.save(sink, this.#session.signal)
      await sink.end()
      return 'saved'
    } catch (error) {
      throw this.#session.failure ?? error // the engine may have wrapped it
    }
  }

  async 'await-received'(): Promise<SendEvent> {
    const { receivedMs = RECEIVED_MS } = this.#times
    await within(this.#session.clock, receivedMs, 'the word that the guest is received', this.#session.expect('received'))
    return 'received'
  }

  async 'say-yours'(): Promise<SendEvent | undefined> {
    try {
      await this.#session.linked()
      if (this.#session.failure !== undefined) throw this.#session.failure
    } catch (error) {
      this.#why ??= error
      return 'unsaid'
    }
    this.#noReturn()
    await this.#session.send('yours', {})
    return undefined
  }

  async 'await-running'(): Promise<SendEvent> {
    const { runningMs = RUNNING_MS } = this.#times
    await within(this.#session.clock, runningMs, 'the word that the guest runs', this.#session.expect('running'))
    return 'running'
  }

  async resume(): Promise<undefined> {
    await this.#last(this.#guest.resume())
  }

  async destroy(): Promise<undefined> {
    await this.#last(this.#guest.destroy())
  }

  async tell(): Promise<undefined> {
    await this.#session.abort('abort', reasonOf(this.#why))
  }

  async #last(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.#trouble = error
    })
  }
}
