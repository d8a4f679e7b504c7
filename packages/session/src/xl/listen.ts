import { ByteReader, expectMessage, expectStatus, xlMessages, type XlMessage } from '@xen-replication/format'
import { LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { aborted, within } from '../wire/within.ts'

const NOTHING = new Uint8Array(0)

/** What the other side of an `xl` conversation says, in the time it has for it. */
export class XlEar {
  readonly #reader: ByteReader
  readonly #clock: Clock

  constructor(channel: Channel, clock: Clock) {
    this.#reader = new ByteReader(channel)
    this.#clock = clock
  }

  /**
   * Waits for a fixed message.
   *
   * @throws FormatError FMT_HANDSHAKE when something else comes; LinkError LINK_LOST, LINK_TIMEOUT; the reason of `signal`
   */
  message(which: XlMessage, ms: number, signal: AbortSignalLike): Promise<void> {
    return this.#hear(which, ms, signal, xlMessages[which], () => expectMessage(this.#reader, which))
  }

  /** Waits for the byte after `report`: 0 when the copy runs. @throws as `message` */
  status(ms: number, signal: AbortSignalLike): Promise<number> {
    return this.#hear('status', ms, signal, NOTHING, () => expectStatus(this.#reader))
  }

  async #hear<T>(what: string, ms: number, signal: AbortSignalLike, wanted: Uint8Array, expect: () => Promise<T>): Promise<T> {
    const stop = aborted(signal)
    try {
      return await Promise.race([within(this.#clock, ms, `"${what}"`, this.#complete(what, wanted).then(expect)), stop.failure])
    } finally {
      stop.done()
    }
  }

  /** A message that breaks off was sent by somebody who is gone; one that is another is looked at by `expect`. */
  async #complete(what: string, wanted: Uint8Array): Promise<void> {
    const came = await this.#reader.peek(Math.max(1, wanted.length))
    if (came.length >= wanted.length && came.length > 0) return
    if (came.some((byte, i) => byte !== wanted[i])) return
    throw new LinkError('LINK_LOST', `the peer closed the connection where "${what}" was due`, { hint: 'look at the output of the other side' })
  }
}
