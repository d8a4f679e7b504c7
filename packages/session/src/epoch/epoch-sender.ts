import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/plugin-api'
import type { BodyOf } from '../frame/table.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { packsPages } from '../hello/agreement.ts'
import { PageCopies } from '../pack/page-copies.ts'
import { BatchWay } from '../stream/batch-way.ts'
import { PageStream } from '../stream/page-stream.ts'
import type { InboxItem } from '../stream/inbox.ts'
import { StreamSink } from '../stream/stream-sink.ts'
import { within } from '../wire/within.ts'

/** What the two sides of a replication have to know of each other before it begins. */
export type Protection = BodyOf<'protect'>
/** `copies`: at most so many pages are kept on both sides, 4 KiB each, to send what differs; left out: as many as suits. */
export type ProtectionWanted = Omit<Protection, 'copies'> & { readonly copies?: number | undefined }

/** Pages that both sides keep where nobody says otherwise: 128 MiB. */
const COPIES = 32_768

/** The answer to `protect`. */
export const READY = 'ready'

/** The sending side of a replication: streams of one guest or several, cut into epochs, and words both ways. */
export class EpochSender {
  readonly #session: Session
  readonly #way: BatchWay
  /** The first copy, and all where pages are not packed. */
  readonly #stream: StreamSink
  /** Checkpoints after the first. */
  #pages: PageStream | undefined
  #copies: PageStream | undefined
  readonly #stalledMs: number
  #member = 0
  #times = { heartbeatMs: 0, silenceMs: 0 }
  #token = 0n
  /** The epoch that was sent and not acknowledged. */
  #awaited: number | undefined

  /** @param stalledMs how long a peer that lives may take for one answer. */
  constructor(session: Session, stalledMs: number) {
    this.#session = session
    this.#way = new BatchWay(session)
    this.#stream = new StreamSink(session, 'none', this.#way)
    this.#stalledMs = stalledMs
  }

  /** Names the session; both sides have the same. */
  get id(): string {
    return Buffer.from(this.#session.agreement.session).toString('hex')
  }

  /** Aborts when the peer is gone, with why. */
  get signal(): AbortSignalLike {
    return this.#session.signal
  }

  /** Lets go of the link, whose peer is of no use any more. */
  cut(error: unknown): void {
    this.#session.cut(error)
  }

  /** Bytes that went out for the streams. */
  get wireBytes(): number {
    return this.#way.wireBytes
  }

  /**
   * Agrees on what is to be protected. Silence is told by its times once the first epoch is acknowledged, until then by those of the session.
   *
   * @throws SessionError SESSION_PEER_ABORTED when the peer will not; LinkError
   */
  async begin(wanted: ProtectionWanted): Promise<void> {
    const copies = packsPages(this.#session.agreement) ? (wanted.copies ?? COPIES) : 0
    const protection = { ...wanted, copies }
    await this.#session.send('protect', protection)
    const word = await within(this.#session.clock, this.#session.limits.handshakeMs, 'the word that the peer is ready', this.#session.expect('say'))
    if (word !== READY) throw new SessionError('SESSION_UNEXPECTED', `'${word}' came where '${READY}' was due`)
    this.#times = protection
    this.#token = protection.token
    if (copies > 0) this.#copies = new PageStream(this.#session, this.#way, protection.members, new PageCopies(copies))
  }

  /** The stream of one guest. Those of several are written one after the other, each as far as it goes. */
  sink(member: number): ByteSink {
    return {
      write: async (parts) => {
        if (member !== this.#member) await this.#turnTo(member)
        await (this.#pages?.write(member, parts) ?? this.#stream.write(parts))
      },
    }
  }

  /** All of the epoch was written. @throws as `Session.send` */
  async endEpoch(epoch: number): Promise<void> {
    await this.#flush()
    this.#awaited = epoch
    await this.#session.send('epoch-end', { epoch })
    this.#pages = this.#copies // from the second checkpoint on: before that nearly every page is new
    this.#pages?.begin()
  }

  /** Sends what was written up to now. @throws as `Session.send` */
  flush(): Promise<void> {
    return this.#flush()
  }

  /** @throws as `Session.send` */
  async say(word: string): Promise<void> {
    await this.#flush()
    await this.#session.send('say', word)
  }

  /**
   * The next word of the peer; `stored` once it has acknowledged the epoch that was sent last.
   *
   * @throws LinkError LINK_TIMEOUT when a peer that lives does not answer; SessionError SESSION_UNEXPECTED; as `Session.peek`
   */
  async next(): Promise<string> {
    const word = await within(this.#session.clock, this.#stalledMs, 'the answer to an epoch', this.heard())
    this.take(word)
    return word
  }

  /** Takes the word that was heard. */
  take(word: string): void {
    this.#session.drop()
    this.tookWord(word)
  }

  /** As `next`, without an end to the waiting; the word stays until it is taken. */
  async heard(): Promise<string> {
    return this.wordOf(await this.#session.peek())
  }

  /** How long a peer that lives may take for one answer, in milliseconds. */
  protected get stalledMs(): number {
    return this.#stalledMs
  }

  /** What follows from a word that is taken. */
  protected tookWord(word: string): void {
    if (word !== 'stored') return
    if (this.#awaited === 0) this.#session.retime(this.#times.heartbeatMs, this.#times.silenceMs) // before there is a copy a lost peer costs nothing
    this.#awaited = undefined
  }

  /** The word that something from the peer stands for. @throws SessionError SESSION_UNEXPECTED for what stands for none; the session ends then */
  protected wordOf(item: InboxItem): string {
    if (item.kind === 'frame' && item.frame.name === 'say') return item.frame.body
    if (item.kind === 'frame' && item.frame.name === 'epoch-stored' && item.frame.body.epoch === this.#awaited && item.frame.body.token === this.#token) return 'stored'
    const what = item.kind === 'bytes' ? 'data' : item.frame.name === 'epoch-stored' ? `an acknowledgement of epoch ${item.frame.body.epoch} under token ${item.frame.body.token}` : item.frame.name
    throw this.#refuse(`${what} came where ${this.#awaited === undefined ? 'a word' : `that of epoch ${this.#awaited} under token ${this.#token}`} was due`)
  }

  #flush(): Promise<void> {
    return (this.#pages ?? this.#stream).flush()
  }

  #refuse(what: string): SessionError {
    const error = new SessionError('SESSION_UNEXPECTED', what)
    this.#session.fail(error)
    return error
  }

  async #turnTo(member: number): Promise<void> {
    await this.#flush()
    await this.#session.send('member', { member })
    this.#member = member
  }
}
