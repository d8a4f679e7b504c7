import { LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { asError } from '../wire/as-error.ts'

/** Looks at a stream that often before it is taken for dead. */
const LOOKS = 8

/** The stream of an `xl` conversation, which has no heartbeats: a read or a write on which nothing happens for too long fails. */
export class WatchedStream {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #over = new AbortController()
  #pending = 0
  #looks = 0
  #failure: Error | undefined
  readonly #unlisten: () => void

  /** @param ms without a byte. @param signal ends what is under way, with its reason */
  constructor(channel: Channel, clock: Clock, ms: number, signal: AbortSignalLike) {
    this.#channel = channel
    this.#clock = clock
    this.#watch(ms).catch(() => undefined)
    const stop = (): void => this.#break(asError(signal.reason))
    signal.addEventListener('abort', stop, { once: true })
    this.#unlisten = () => signal.removeEventListener('abort', stop)
    if (signal.aborted) stop()
  }

  /** Why the stream cannot go on, if so: what uses it may have said so in its own words. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** The stream says itself where it ends: a channel that ends before has lost its peer. @throws as `Channel.read`; LinkError LINK_LOST, LINK_TIMEOUT */
  read(max: number): ReturnType<Channel['read']> {
    const bytes = this.#channel.read(max)
    return bytes instanceof Promise ? this.#watched(bytes).then((came) => came ?? this.#ended()) : (bytes ?? this.#ended())
  }

  /** @throws as `Channel.write`; LinkError LINK_TIMEOUT */
  write(parts: readonly Uint8Array[]): Promise<void> {
    return this.#watched(this.#channel.write(parts))
  }

  /** The stream is over; the channel goes on. */
  done(): void {
    this.#over.abort()
    this.#unlisten()
  }

  async #watched<T>(work: Promise<T>): Promise<T> {
    this.#pending += 1
    try {
      return await work
    } catch (error) {
      throw this.#failure ?? error
    } finally {
      this.#pending -= 1
      this.#looks = 0
    }
  }

  async #watch(ms: number): Promise<void> {
    while (this.#looks < LOOKS) {
      await this.#clock.sleep(ms / LOOKS, this.#over.signal)
      this.#looks = this.#pending > 0 ? this.#looks + 1 : 0
    }
    this.#break(new LinkError('LINK_TIMEOUT', `nothing of the stream went through for ${ms} ms`, { hint: 'look whether the other host and the network are well' }))
  }

  #ended(): never {
    this.#failure ??= new LinkError('LINK_LOST', 'the peer closed the connection before the guest was complete', { hint: 'look at the output of the other side' })
    throw this.#failure
  }

  #break(error: Error): void {
    this.#failure = error
    void this.#channel.close()
  }
}
