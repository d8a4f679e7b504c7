import { isXrError } from '@xen-replication/errors'
import { xlMessages } from '@xen-replication/format'
import { drive, isLinkLost, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { reasonOf } from '../frame/reason.ts'
import type { SourceGuest } from '../migrate/guests.ts'
import { SessionError } from '../session-error.ts'
import { XlEar } from './listen.ts'
import { xlSendTable, type XlSendEffect, type XlSendEvent, type XlSendState } from './table.ts'
import { WatchedStream } from './watched-stream.ts'
import { xlTimes, type XlPorts, type XlTimes } from './xl-times.ts'

/** The guest at the sender; `save` writes the header of an xl file, the optional block and the stream. */
export interface XlSourceGuest extends SourceGuest {
  /** `away`: NAME--migratedaway, so that the names of both hosts do not clash; `back`: NAME. */
  rename(to: 'away' | 'back'): Promise<void>
}

/** How a migration to `xl migrate-receive` ended; `untouched`: the guest has run on all the time. */
export interface XlSendResult {
  readonly end: 'moved' | 'kept' | 'untouched' | 'undecided'
  readonly why: unknown
  readonly trouble: unknown
}

/**
 * Moves a guest to `xl migrate-receive` (or `xr receive --xl`) at the other end of a channel, and lets the channel go. Never fails: see the result.
 *
 * @param signal gives up; it is not looked at once the guest is handed over.
 */
export async function sendToXl(channel: Channel, guest: XlSourceGuest, signal: AbortSignalLike, ports: XlPorts): Promise<XlSendResult> {
  const run = new XlSending(channel, guest, signal, ports)
  const end = await drive(xlSendTable, { start: 'start', begin: 'begin', lost: 'peer-lost', perform: (effect) => run.perform(effect) })
  await channel.close()
  return run.result(end)
}

class XlSending {
  readonly #channel: Channel
  readonly #guest: XlSourceGuest
  readonly #signal: AbortSignalLike
  readonly #times: Required<XlTimes>
  readonly #ear: XlEar
  readonly #clock: Clock
  readonly #never = new AbortController().signal
  #why: unknown
  #trouble: unknown

  constructor(channel: Channel, guest: XlSourceGuest, signal: AbortSignalLike, { clock, times }: XlPorts) {
    this.#channel = channel
    this.#guest = guest
    this.#signal = signal
    this.#times = { ...xlTimes, ...times }
    this.#clock = clock
    this.#ear = new XlEar(channel, clock)
  }

  result(end: XlSendState): XlSendResult {
    if (end !== 'undecided') return { end: end as XlSendResult['end'], why: this.#why, trouble: this.#trouble }
    const why = new SessionError('SESSION_UNDECIDED', `the guest was handed over and the peer did not say that it runs: ${reasonOf(this.#why).message}`, {
      cause: this.#why,
      hint: 'look on the other host: if the guest runs there destroy NAME--migratedaway here; if it does not, destroy it there, rename it back here and resume it; never both',
    })
    return { end, why, trouble: this.#trouble }
  }

  async perform(effect: XlSendEffect): Promise<XlSendEvent | undefined> {
    try {
      return await this[effect]()
    } catch (error) {
      this.#why ??= error
      if (isXrError(error) && error.code === 'BACKEND_SUSPEND_TIMEOUT') return 'unsuspended'
      return isLinkLost(error) ? 'peer-lost' : 'failed'
    }
  }

  async 'await-banner'(): Promise<XlSendEvent> {
    await this.#ear.message('banner', this.#times.bannerMs, this.#signal)
    return 'banner'
  }

  async save(): Promise<XlSendEvent> {
    const stream = new WatchedStream(this.#channel, this.#clock, this.#times.streamMs, this.#signal)
    try {
      await this.#guest.save(stream, this.#signal)
      return 'saved'
    } catch (error) {
      throw stream.failure ?? error // the engine may have wrapped it
    } finally {
      stream.done()
    }
  }

  async 'await-ready'(): Promise<XlSendEvent> {
    await this.#ear.message('ready', this.#times.readyMs, this.#signal)
    return 'ready'
  }

  async 'rename-away'(): Promise<XlSendEvent> {
    await this.#guest.rename('away')
    return 'renamed'
  }

  async 'say-permission'(): Promise<undefined> {
    await this.#channel.write([xlMessages.permission])
  }

  async 'await-report'(): Promise<XlSendEvent> {
    await this.#ear.message('report', this.#times.answerMs, this.#never)
    const status = await this.#ear.status(this.#times.answerMs, this.#never)
    if (status === 0) return 'running'
    this.#why = new SessionError('SESSION_GIVEN_BACK', `the peer could not let the guest run (status ${status})`)
    return 'refused'
  }

  async 'await-return'(): Promise<XlSendEvent> {
    await this.#ear.message('permission', this.#times.answerMs, this.#never)
    return 'returned'
  }

  async 'rename-back'(): Promise<undefined> {
    await this.#last(this.#guest.rename('back'))
  }

  async resume(): Promise<undefined> {
    await this.#last(this.#guest.resume())
  }

  async destroy(): Promise<undefined> {
    await this.#last(this.#guest.destroy())
  }

  async #last(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.#trouble ??= error
    })
  }
}
