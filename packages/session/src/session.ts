import { isLinkLost, LinkError, type AbortSignalLike, type Clock } from '@xen-replication/plugin-api'
import { reasonOf, type Reason } from './frame/reason.ts'
import { frameTypes, type BodyOf, type Frame, type OrderedName } from './frame/table.ts'
import { isResumable, type Agreement } from './hello/agreement.ts'
import { givenBack, peerAborted } from './hello/peer-words.ts'
import { SessionError } from './session-error.ts'
import type { SessionLimits } from './session-options.ts'
import type { SessionPorts, Start } from './session-ports.ts'
import { Arrivals } from './stream/arrivals.ts'
import { Buffers } from './stream/buffers.ts'
import { Flow } from './stream/flow.ts'
import type { InboxItem } from './stream/inbox.ts'
import { SendLog } from './stream/send-log.ts'
import { asError } from './wire/as-error.ts'
import { Condition } from './wire/condition.ts'
import { Latest } from './wire/latest.ts'
import { Pulse } from './wire/pulse.ts'
import type { Wire } from './wire/wire.ts'
import { linger } from './wire/within.ts'

/**
 * A session over one link after another: ordered frames come once and in order whatever happens to links, until the time to wait for a new one is over.
 */
export class Session {
  readonly agreement: Agreement
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly flow: Flow
  readonly changed = new Condition()
  /** Memory for batches, both ways. */
  readonly buffers = new Buffers()
  readonly #ports: SessionPorts
  readonly #log: SendLog
  readonly #arrivals: Arrivals
  readonly #gone = new AbortController()
  readonly #ack = new Latest(() => this.#wire.send('ack', { frame: this.#safe, taken: this.#arrivals.taken }))
  readonly #progress = new Latest(() => this.#wire.send('progress', { bytes: this.#arrivals.verified, ...this.#report }))
  readonly #pulse: Pulse
  readonly #pumped: Promise<void>
  #wire: Wire
  #linked = true
  #links = 0
  #failure: Error | undefined
  #over = false
  #peerDone = false
  #safe: number
  #report = { pages: 0, state: 0 }

  constructor(agreement: Agreement, wire: Wire, ports: SessionPorts, start: Start = { sent: 0, received: 0, offset: 0 }) {
    this.agreement = agreement
    this.clock = ports.clock
    this.limits = ports.limits
    this.#pulse = new Pulse(ports.clock, ports.limits, ports.observe)
    this.#ports = ports
    this.flow = new Flow({ ...agreement, resumable: isResumable(agreement) }, start.offset)
    this.#log = new SendLog(start.sent)
    this.#arrivals = new Arrivals(agreement, this.buffers, start.received, start.offset)
    this.#safe = start.received
    this.#wire = this.#adopt(wire)
    this.#pumped = this.#pump()
  }

  /** Whether a lost link is not the end. */
  get isResumable(): boolean {
    return this.#ports.goOn !== undefined && isResumable(this.agreement)
  }

  /** Bytes of the stream that are received and verified. */
  get verified(): number {
    return this.#arrivals.verified
  }

  /** Bytes of the stream that the application has taken, or that came before. */
  get taken(): number {
    return this.#arrivals.taken
  }

  /** Why nothing goes on, if so. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Aborts when nothing goes on. */
  get signal(): AbortSignalLike {
    return this.#gone.signal
  }

  /** Ordered frames of this side: the last one, the first that may have to be sent again, and bytes of the stream that are not acknowledged. */
  get sentFrames(): { readonly last: number; readonly first: number; readonly bytes: number } {
    return this.#log
  }

  /**
   * Sends an ordered frame. Resolves when it is on its way over a link that works; then it will arrive unless the session fails.
   *
   * @param bytes of the stream in it.
   * @throws LinkError LINK_LOST, LINK_TIMEOUT when the link is gone for good; SessionError SESSION_PEER_ABORTED, SESSION_GIVEN_BACK, …
   */
  async send<N extends OrderedName>(name: N, body: BodyOf<N>, bytes = 0): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const item = this.#log.add(name, body, bytes)
    this.flow.send(bytes)
    const link = this.#links
    if (this.#linked) {
      try {
        return await this.#wire.send(name, body, item.number)
      } catch (error) {
        if (!this.isResumable || !isLinkLost(error)) throw this.#failure ?? error
      }
    }
    await this.changed.until(() => this.#checked() && this.#links > link)
  }

  /** Waits until there is a link, so that the next frame is written at once or not at all. @throws as `send` */
  linked(): Promise<void> {
    return this.changed.until(() => this.#checked() && this.#linked)
  }

  /** The next ordered frame of the peer, which stays. @throws as `send`; SessionError SESSION_CLOSED once the peer has said all */
  async peek(): Promise<InboxItem> {
    await this.changed.until(() => this.#arrivals.first !== undefined || (this.#checked() && this.#peerDone))
    const { first } = this.#arrivals
    if (first === undefined) throw new SessionError('SESSION_CLOSED', 'the peer has ended the session', { hint: 'look at the output of xr on the other host' })
    return first
  }

  /** The next ordered frame, which has to be `name`. @throws as `peek`; SessionError SESSION_UNEXPECTED */
  async expect<N extends OrderedName>(name: N): Promise<BodyOf<N>> {
    const item = await this.peek()
    if (item.kind !== 'frame' || item.frame.name !== name) {
      throw new SessionError('SESSION_UNEXPECTED', `${item.kind === 'frame' ? item.frame.name : 'data'} came where ${name} was due`)
    }
    this.drop()
    return item.frame.body as BodyOf<N>
  }

  /** The first ordered frame has been dealt with; bytes of the stream are taken by `take`. */
  drop(): void {
    this.#arrivals.drop()
  }

  /** The application has taken so many bytes of the stream. @param safe the frame up to which everything is safe, where that is acknowledged. */
  take(bytes: number): void {
    this.#arrivals.take(bytes)
    this.#ack.post()
  }

  /** Everything up to this frame may be forgotten by the peer, even if this process ends. */
  madeSafe(frame: number): void {
    this.#safe = frame
    this.#ack.post()
  }

  /** Changes how often this side says that it lives, and how long it bears silence. @throws SessionError SESSION_OPTION */
  retime(heartbeatMs: number, silenceMs: number): void {
    this.#pulse.retime(heartbeatMs, silenceMs, this.#wire)
  }

  /** Tells the sender how far the receiver is. */
  tell(pages: number, state: number): void {
    this.#report = { pages, state }
    this.#progress.post()
  }

  /** Waits until the peer has acknowledged everything. @throws as `send` */
  settled(): Promise<void> {
    return this.changed.until(() => this.#log.isEmpty || (this.#checked() && this.#peerDone))
  }

  /** Everything that is under way or comes later fails with `error`, unless it failed before. The last word may still be sent. */
  fail(error: unknown): void {
    this.#failure ??= asError(error)
    this.#gone.abort(this.#failure)
    this.changed.notify()
  }

  /** Lets go of the link at once: the peer finds it lost. Everything fails with `error`, unless it failed before. */
  cut(error: unknown): void {
    this.fail(error)
    this.#wire.fail(error)
  }

  /** Says why this side gives up, if that is possible, and ends. Never fails. */
  async abort(name: 'abort' | 'given-back', why: Reason): Promise<void> {
    const { number } = this.#log.add(name, why, 0)
    this.#over = true
    await linger(this.clock, this.#wire.send(name, why, number))
    await this.end()
  }

  /** Ends after the last word; what the peer still says is read and forgotten. Never fails. */
  async end(): Promise<void> {
    this.#over = true
    this.fail(new SessionError('SESSION_CLOSED', 'the session is over on this side'))
    const { number } = this.#log.add('bye', {}, 0)
    this.#ack.post()
    await linger(this.clock, this.#wire.send('bye', {}, number).then(() => this.#wire.end()))
    await linger(this.clock, this.#pumped)
    this.#wire.fail(new LinkError('LINK_CLOSED', 'the session is over on this side'))
  }

  #checked(): true {
    if (this.#failure !== undefined) throw this.#failure
    return true
  }

  #adopt(wire: Wire): Wire {
    wire.admit(this.agreement.role === 'receiver' ? this.agreement.batch : 0, this.buffers)
    this.#pulse.over(wire)
    return wire
  }

  /** Reads for as long as there are links. */
  async #pump(): Promise<void> {
    for (;;) {
      try {
        return await this.#readAll()
      } catch (error) {
        if (this.#over || this.#failure !== undefined) return
        if (!isLinkLost(error)) return this.#refuse(error)
        if (!(await this.#relink(error))) return
      }
    }
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const frame = await this.#wire.read()
      if (frame !== undefined) await this.#receive(frame)
      else if (this.#peerDone || this.#over) return
      else throw new LinkError('LINK_LOST', 'the peer closed the connection before the session was over', { hint: 'look at the output of xr on the other host' })
    }
  }

  /** Tells the peer what it did wrong. */
  #refuse(error: unknown): void {
    this.fail(error)
    const why = reasonOf(error)
    const { number } = this.#log.add('abort', why, 0)
    this.#wire.send('abort', why, number).catch(() => undefined)
  }

  /** @returns whether there is a link again; otherwise everything fails. */
  async #relink(error: unknown): Promise<boolean> {
    const lostAt = this.clock.now()
    this.#linked = false
    this.#ports.observe({ type: 'link-lost', error, waitMs: this.isResumable ? this.limits.resumeWaitMs : 0 })
    try {
      const back = this.isResumable ? await this.#ports.goOn?.({ next: this.#arrivals.received + 1, offset: this.#arrivals.verified }, this.#gone.signal) : undefined
      if (back === undefined) throw error
      this.#wire = this.#adopt(back.wire)
      const resent = await this.#sendAgain(back.next)
      this.#ports.observe({ type: 'link-back', resent, waitedMs: this.clock.now() - lostAt })
      return true
    } catch (failure) {
      if (isLinkLost(failure) && failure !== error) return this.#relink(failure)
      this.fail(failure)
      return false
    }
  }

  async #sendAgain(next: number): Promise<number> {
    let resent = 0
    for (const { name, body, number, bytes } of this.#log.from(next)) {
      await this.#wire.send(name, body, number)
      resent += bytes
      this.flow.sendAgain(bytes)
    }
    this.#linked = true
    this.#links += 1
    this.changed.notify()
    this.#ack.post()
    return resent
  }

  async #receive(frame: Frame): Promise<void> {
    const { from, kind } = frameTypes[frame.name]
    if (kind === 'greeting' || from === this.agreement.role) throw new SessionError('SESSION_UNEXPECTED', `a ${frame.name} frame came from the peer`)
    if (kind === 'now') return this.#receiveNow(frame)
    if (this.#over) return // nobody takes it any more
    await this.#arrivals.add(frame)
    if (this.#ports.acknowledge === 'received') this.#safe = frame.number
    if (frame.name === 'bye') this.#peerDone = true
    else if (frame.name === 'abort') this.fail(peerAborted(frame.body))
    else if (frame.name === 'given-back') this.fail(givenBack(frame.body))
    this.#ack.post()
    this.changed.notify()
  }

  #receiveNow(frame: Frame): void {
    if (frame.name === 'ack') {
      this.#log.acknowledged(frame.body.frame)
      if (!this.flow.take(frame.body.taken)) throw new SessionError('SESSION_UNEXPECTED', `the peer has taken ${frame.body.taken} bytes; ${this.flow.sent} were sent`)
      this.changed.notify()
    } else if (frame.name === 'progress') this.#ports.observe({ type: 'progress', ...frame.body })
    else if (frame.name === 'heartbeat') this.#pulse.heard(frame.body)
  }
}
