import { drive, type AbortSignalLike } from '@xen-replication/plugin-api'
import { reasonOf } from '../frame/reason.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { StreamSource } from '../stream/stream-source.ts'
import { endWith } from '../wire/end-with.ts'
import { within } from '../wire/within.ts'
import { eventOf } from './event-of.ts'
import type { TargetGuest } from './guests.ts'
import { receiveTable, type ReceiveEffect, type ReceiveEvent, type ReceiveState } from './table.ts'

/** How a migration ended at the receiver. */
export interface ReceiveResult {
  /** `running`: the guest runs here. `dropped`: nothing is left of it here. `stuck`: what was built could not be destroyed; it does not run. */
  readonly end: 'running' | 'dropped' | 'stuck'
  /** Why it does not run; when it does, why the sender may not know. */
  readonly why: unknown
  readonly trouble: unknown
}

export interface ReceiveTimes {
  /** How long the sender may take to hand the guest over, in ms. */
  readonly yoursMs?: number
  readonly onMove?: (from: ReceiveState, event: ReceiveEvent, to: ReceiveState) => void
}

const YOURS_MS = 60_000

/**
 * Takes a guest from the peer of a session, and ends the session. Never fails: see the result.
 *
 * @param signal gives up; it is not looked at once the guest is handed over.
 */
export async function receiveGuest(session: Session, guest: TargetGuest, signal: AbortSignalLike, times: ReceiveTimes = {}): Promise<ReceiveResult> {
  const run = new Receiving(session, guest, signal, times)
  const end = await drive(receiveTable, {
    start: 'start', begin: 'begin', lost: 'peer-lost', perform: (effect) => run.perform(effect), ...(times.onMove === undefined ? {} : { onMove: times.onMove }),
  })
  await session.end()
  return run.result(end as ReceiveResult['end'])
}

class Receiving {
  readonly #session: Session
  readonly #guest: TargetGuest
  /** Ends the listening to whoever wants to give up. */
  readonly #noReturn: () => void
  readonly #times: ReceiveTimes
  #why: unknown
  #trouble: unknown

  constructor(session: Session, guest: TargetGuest, signal: AbortSignalLike, times: ReceiveTimes) {
    this.#session = session
    this.#guest = guest
    this.#noReturn = endWith(session, signal)
    this.#times = times
  }

  result(end: ReceiveResult['end']): ReceiveResult {
    this.#noReturn()
    return { end, why: this.#why, trouble: this.#trouble }
  }

  async perform(effect: ReceiveEffect): Promise<ReceiveEvent | undefined> {
    try {
      return await this[effect]()
    } catch (error) {
      this.#why ??= error
      return eventOf(error) === 'peer-lost' ? 'peer-lost' : 'failed'
    }
  }

  async build(): Promise<ReceiveEvent> {
    try {
      const source = new StreamSource(this.#session)
      await this.#guest.build(source, this.#session.signal)
      if ((await source.read(1)) !== undefined || !source.isWhole) throw new SessionError('SESSION_UNEXPECTED', 'the guest is complete and the stream goes on')
      return 'built'
    } catch (error) {
      throw this.#session.failure ?? error // the engine may have wrapped it
    }
  }

  async 'say-received'(): Promise<undefined> {
    await this.#session.send('received', {})
  }

  async 'await-yours'(): Promise<ReceiveEvent> {
    const { yoursMs = YOURS_MS } = this.#times
    await within(this.#session.clock, yoursMs, 'the word that the guest is ours', this.#session.expect('yours'))
    this.#noReturn()
    return 'yours'
  }

  /** A link that is lost meanwhile changes nothing: the guest is ours. */
  async start(): Promise<ReceiveEvent> {
    try {
      await this.#guest.start()
      return 'started'
    } catch (error) {
      this.#why ??= error
      return 'failed'
    }
  }

  async 'say-running'(): Promise<undefined> {
    try {
      await this.#session.send('running', {})
      await within(this.#session.clock, this.#times.yoursMs ?? YOURS_MS, 'the word that the sender knows', this.#session.settled())
    } catch (error) {
      this.#why = error
    }
  }

  async destroy(): Promise<ReceiveEvent> {
    try {
      await this.#guest.destroy()
      return 'destroyed'
    } catch (error) {
      this.#trouble = error
      return 'failed'
    }
  }

  async 'give-back'(): Promise<undefined> {
    await this.#session.abort('given-back', reasonOf(this.#why))
  }

  async tell(): Promise<undefined> {
    const { code, message } = reasonOf(this.#trouble)
    await this.#session.abort('abort', { code: 'SESSION_LEFT_OVER', message: `the copy cannot be destroyed: ${code}: ${message}` })
  }
}
