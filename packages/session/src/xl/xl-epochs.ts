import { encodeRecord, xlMessages, type ByteSink, type ByteSource } from '@xen-replication/format'
import { LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { asError } from '../wire/as-error.ts'
import { within } from '../wire/within.ts'
import { XlEar } from './listen.ts'
import { xlTimes, type XlTimes } from './xl-times.ts'

/** A record that nobody knows and that may not be passed over. Source: libxl-migration-stream.pandoc, "Records": bit 31 clear is mandatory. */
export const UNKNOWN_RECORD = 0x7fff_fffe

/**
 * The primary's side of `xl remus`. The peer never acknowledges anything: an epoch counts as stored as soon as it was handed to the link. It takes over
 * whenever the stream ends; only a stream that makes no sense has it destroy its copy.
 */
export class XlEpochSender {
  readonly id = 'xl'
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #times: Required<XlTimes>
  readonly #gone = new AbortController()
  #ended: Promise<void> | undefined
  /** What the end of the peer means. */
  #last: 'left' | 'taken' | undefined

  constructor(channel: Channel, clock: Clock, times: XlTimes = {}) {
    this.#channel = channel
    this.#clock = clock
    this.#times = { ...xlTimes, ...times }
  }

  get signal(): AbortSignalLike {
    return this.#gone.signal
  }

  /** Waits for the peer to be there. @throws FormatError FMT_HANDSHAKE; LinkError; the reason of `signal` */
  async begin(signal: AbortSignalLike): Promise<void> {
    await new XlEar(this.#channel, this.#clock).message('banner', this.#times.bannerMs, signal)
    this.#ended = this.#untilEnd()
    this.#ended.catch(() => undefined)
  }

  sink(): ByteSink {
    return this.#channel
  }

  endEpoch(): Promise<void> {
    return Promise.resolve()
  }

  /** `leave` and `yours` are said by how the stream ends; others cannot be said. */
  async say(word: string): Promise<void> {
    if (word === 'leave') {
      this.#last = 'left'
      await this.#channel.write([encodeRecord(UNKNOWN_RECORD, new Uint8Array(0))])
    } else if (word === 'yours') {
      this.#last = 'taken'
      await this.#channel.end()
    }
  }

  /** @throws LinkError LINK_TIMEOUT, LINK_LOST */
  async next(): Promise<string> {
    if (this.#last === undefined) return 'stored'
    await within(this.#clock, this.#times.answerMs, 'the end of the peer', this.#ended ?? Promise.resolve())
    return this.#last
  }

  /** Nothing is ever heard. */
  heard(): Promise<string> {
    return new Promise(() => undefined)
  }

  take(): void {
    // there are no words
  }

  cut(error: unknown): void {
    this.#gone.abort(asError(error))
    void this.#channel.close()
  }

  /** Reads, and throws away, until the peer ends. */
  async #untilEnd(): Promise<void> {
    try {
      while ((await this.#channel.read(4096)) !== undefined);
      if (this.#last === undefined) this.cut(new LinkError('LINK_LOST', 'the peer has ended', { hint: 'look at the output of the other side' }))
    } catch (error) {
      if (this.#last === undefined) this.cut(error)
      else if (this.#last === 'taken') throw error // a command that failed has not taken the guest
    }
  }
}

/** The backup's side of `xl remus`: checkpoints come until the stream ends, and nothing is said. */
export class XlEpochReceiver {
  readonly id = 'xl'
  readonly #channel: Channel
  readonly #gone = new AbortController()
  #epoch = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  get signal(): AbortSignalLike {
    return this.#gone.signal
  }

  /** Says that it is there. @throws LinkError */
  async begin(): Promise<void> {
    await this.#channel.write([xlMessages.banner])
  }

  source(): ByteSource {
    return this.#channel
  }

  word(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  /** The stream itself says where a checkpoint ends. */
  epochEnd(): Promise<number> {
    this.#epoch += 1
    return Promise.resolve(this.#epoch - 1)
  }

  stored(): Promise<void> {
    return Promise.resolve()
  }

  /** xl hears nothing. */
  say(word: string): Promise<void> {
    void word
    return Promise.resolve()
  }

  cut(error: unknown): void {
    this.#gone.abort(asError(error))
    void this.#channel.close()
  }
}
