import { encodeStatus, xlMessages } from '@xen-replication/format'
import { drive, isLinkLost, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import type { TargetGuest } from '../migrate/guests.ts'
import type { ReceiveResult } from '../migrate/receive-guest.ts'
import { XlEar } from './listen.ts'
import { xlReceiveTable, type XlReceiveEffect, type XlReceiveEvent } from './table.ts'
import { WatchedStream } from './watched-stream.ts'
import { xlTimes, type XlPorts, type XlTimes } from './xl-times.ts'

/**
 * Takes a guest from `xl migrate` (or `xr migrate --peer xl`), and lets the channel go. Never fails: see the result.
 *
 * @param guest `build` reads the header of an xl file, the optional block and the stream, and not a byte more; `start` gives the guest its name as well.
 * @param signal gives up; it is not looked at once the guest is handed over.
 */
export async function receiveFromXl(channel: Channel, guest: TargetGuest, signal: AbortSignalLike, ports: XlPorts): Promise<ReceiveResult> {
  const run = new XlReceiving(channel, guest, signal, ports)
  const end = await drive(xlReceiveTable, { start: 'start', begin: 'begin', lost: 'peer-lost', perform: (effect) => run.perform(effect) })
  await channel.end().catch(() => undefined)
  await channel.close()
  return run.result(end as ReceiveResult['end'])
}

class XlReceiving {
  readonly #channel: Channel
  readonly #guest: TargetGuest
  readonly #signal: AbortSignalLike
  readonly #times: Required<XlTimes>
  readonly #ear: XlEar
  readonly #clock: Clock
  #why: unknown
  #trouble: unknown

  constructor(channel: Channel, guest: TargetGuest, signal: AbortSignalLike, { clock, times }: XlPorts) {
    this.#channel = channel
    this.#guest = guest
    this.#signal = signal
    this.#times = { ...xlTimes, ...times }
    this.#clock = clock
    this.#ear = new XlEar(channel, clock)
  }

  result(end: ReceiveResult['end']): ReceiveResult {
    return { end, why: this.#why, trouble: this.#trouble }
  }

  async perform(effect: XlReceiveEffect): Promise<XlReceiveEvent | undefined> {
    try {
      return await this[effect]()
    } catch (error) {
      this.#why ??= error
      return isLinkLost(error) ? 'peer-lost' : 'failed'
    }
  }

  async 'say-banner'(): Promise<undefined> {
    await this.#channel.write([xlMessages.banner])
  }

  async build(): Promise<XlReceiveEvent> {
    const stream = new WatchedStream(this.#channel, this.#clock, this.#times.streamMs, this.#signal)
    try {
      await this.#guest.build(stream, this.#signal)
      return 'built'
    } catch (error) {
      throw stream.failure ?? error // the engine may have wrapped it
    } finally {
      stream.done()
    }
  }

  async 'say-ready'(): Promise<XlReceiveEvent | undefined> {
    return (await this.#said([xlMessages.ready])) ? undefined : 'unsaid'
  }

  async 'await-permission'(): Promise<XlReceiveEvent> {
    await this.#ear.message('permission', this.#times.answerMs, this.#signal)
    return 'permission'
  }

  /** A link that is lost meanwhile changes nothing: the guest is ours. */
  async start(): Promise<XlReceiveEvent> {
    try {
      await this.#guest.start()
      return 'started'
    } catch (error) {
      this.#why ??= error
      return 'failed'
    }
  }

  async 'report-running'(): Promise<undefined> {
    await this.#said([xlMessages.report, encodeStatus('running')])
  }

  async 'report-failed'(): Promise<undefined> {
    await this.#said([xlMessages.report, encodeStatus('failed')])
  }

  async destroy(): Promise<XlReceiveEvent> {
    try {
      await this.#guest.destroy()
      return 'destroyed'
    } catch (error) {
      this.#trouble = error
      return 'failed'
    }
  }

  async 'say-permission'(): Promise<undefined> {
    await this.#said([xlMessages.permission])
  }

  async #said(parts: readonly Uint8Array[]): Promise<boolean> {
    try {
      await this.#channel.write(parts)
      return true
    } catch (error) {
      this.#why ??= error
      return false
    }
  }
}
