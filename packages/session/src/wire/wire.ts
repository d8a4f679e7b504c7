import { isLinkLost, LinkError, type Channel, type Clock } from '@xen-replication/plugin-api'
import { encodeFrame } from '../frame/encode-frame.ts'
import { readFrame, type FrameLimits } from '../frame/read-frame.ts'
import type { BodyOf, Frame, FrameName } from '../frame/table.ts'
import { SessionError } from '../session-error.ts'
import type { Buffers } from '../stream/buffers.ts'
import { asError } from './as-error.ts'
import { within } from './within.ts'

/** How long a last word may take, in ms. */
const LEAVE_MS = 2_000

export interface WireOptions {
  readonly channel: Channel
  readonly clock: Clock
}

/**
 * Frames over one channel. Frames may be sent at any time, one goes out after the other; one reader at a time. When one side of it breaks, all of it
 * does, and everything fails with the first error.
 */
export class Wire {
  readonly #channel: Channel
  readonly #clock: Clock
  #watch = new AbortController()
  #tail: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #limits: FrameLimits = 'greeting'
  #sentAt: number
  #reading = false
  /** Steps of the watch since something was heard. */
  #quiet = 0

  constructor({ channel, clock }: WireOptions) {
    this.#channel = channel
    this.#clock = clock
    this.#sentAt = clock.now()
  }

  /** The greeting is over: batches up to this long may come. */
  admit(payload: number, buffers: Buffers): void {
    this.#limits = { payload, memory: (bytes) => buffers.take(bytes) }
  }

  /** Resolves when the pieces of the frame may be reused. @throws the error that broke the wire */
  send<N extends FrameName>(name: N, body: BodyOf<N>, number = 0): Promise<void> {
    const sent = this.#tail.then(() => this.#write(encodeFrame(name, body, number)))
    this.#tail = sent.catch(() => undefined)
    return sent
  }

  /** @returns undefined once the peer has ended its side. @throws as `readFrame`; the error that broke the wire */
  async read(): Promise<Frame | undefined> {
    try {
      const frame = await readFrame({ read: (max) => this.#heard(() => this.#channel.read(max)) }, this.#limits)
      if (this.#failure !== undefined) throw this.#failure
      return frame
    } catch (error) {
      if (error instanceof SessionError) throw error // the peer may still be told
      throw this.fail(error)
    }
  }

  /**
   * Says now and then that this side lives, and breaks the wire with LINK_TIMEOUT when nothing is heard.
   *
   * @param beat sends the heartbeat.
   */
  keepAlive(heartbeatMs: number, silenceMs: number, beat: () => Promise<void>): void {
    if (this.#failure !== undefined) return
    this.#watch.abort() // that of other times, if there was one
    const { signal } = (this.#watch = new AbortController())
    const broken = (error: unknown): void => {
      if (!signal.aborted) this.fail(error) // the watch was called off: what was written is still on its way
    }
    this.#quiet = 0
    this.#beats(heartbeatMs, beat, signal).catch(broken)
    this.#listens(Math.min(heartbeatMs, silenceMs / 4), silenceMs, signal).catch(broken)
  }

  /** Breaks the wire: the channel is closed, reads and writes fail with `error`, unless it was broken before. @returns what they fail with */
  fail(error: unknown): Error {
    this.#failure ??= asError(error)
    this.#watch.abort()
    void this.#channel.close()
    return this.#failure
  }

  /**
   * Sends what is under way and says that nothing more comes. Never fails. What the peer still sends has to be read before the wire is let go of, or
   * the system throws away our last words at the peer.
   */
  async end(): Promise<void> {
    this.#watch.abort()
    await this.#tail
    await this.#channel.end().catch(() => undefined)
  }

  /** Lets go after a greeting that failed; a word about why that is under way still goes out. */
  async leave(error: unknown): Promise<void> {
    this.#watch.abort()
    if (this.#failure === undefined && !isLinkLost(error)) {
      const last = this.#tail.then(() => this.#channel.end())
      await within(this.#clock, LEAVE_MS, 'the end', last).catch(() => undefined)
    }
    this.fail(error)
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.#channel.write(parts)
      this.#sentAt = this.#clock.now()
    } catch (error) {
      throw this.fail(error)
    }
  }

  async #beats(heartbeatMs: number, beat: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const left = this.#sentAt + heartbeatMs - this.#clock.now()
      if (left > 0) await this.#clock.sleep(left, signal)
      else await beat()
    }
  }

  /**
   * Silence is counted in steps, so that a process that was stopped for a while looks at what came meanwhile before it complains. Steps are due one after
   * the other, whenever they come: timers that are a little late do not add up.
   */
  async #listens(stepMs: number, silenceMs: number, signal: AbortSignal): Promise<void> {
    for (let due = this.#clock.now() + stepMs; !signal.aborted; ) {
      await this.#clock.sleep(Math.max(0, due - this.#clock.now()), signal)
      due = Math.max(due, this.#clock.now() - stepMs) + stepMs
      if (this.#reading) this.#quiet += 1
      if (this.#quiet * stepMs >= silenceMs) {
        throw new LinkError('LINK_TIMEOUT', `nothing was heard from the peer for ${silenceMs} ms`, { hint: 'look whether the other host and the network are well' })
      }
    }
  }

  async #heard(read: () => ReturnType<Channel['read']>): Promise<Uint8Array | undefined> {
    this.#reading = true
    const bytes = await read()
    this.#reading = false
    this.#quiet = 0
    return bytes
  }
}
