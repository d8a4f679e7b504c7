import type { ByteSource } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/plugin-api'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { Condition } from '../wire/condition.ts'
import { within } from '../wire/within.ts'
import { READY, type Protection } from './epoch-sender.ts'

/** Bytes that are given out before the sender is told that it may send as many more. */
const RELEASE = 256 * 1024

/** The receiving side of a replication: streams of one guest or several, cut into epochs, and words both ways. */
export class EpochReceiver {
  readonly #session: Session
  readonly #turned = new Condition()
  #members = 1
  #times = { heartbeatMs: 0, silenceMs: 0 }
  #token = 0n
  #turn = 0
  #bytes: Uint8Array = new Uint8Array(0)
  /** Of each guest the batch that was given out to its end: its memory is used again once the guest's reader asks for more. */
  readonly #spent = new Map<number, Uint8Array>()
  #given = 0
  #fetching: Promise<'more' | 'end'> | undefined

  constructor(session: Session) {
    this.#session = session
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

  /** What the sender wants. Nothing more comes before `ready`. @throws SessionError, LinkError */
  async asked(): Promise<Protection> {
    const wanted = await within(this.#session.clock, this.#session.limits.handshakeMs, 'the word what is to be protected', this.#session.expect('protect'))
    this.#members = wanted.members
    this.#token = wanted.token
    return wanted
  }

  /**
   * Agrees, and takes over the sender's times; that for silence once the first epoch is acknowledged.
   *
   * @throws SessionError SESSION_OPTION; as `Session.send`
   */
  async ready({ heartbeatMs, silenceMs }: Pick<Protection, 'heartbeatMs' | 'silenceMs'>): Promise<void> {
    this.#times = { heartbeatMs, silenceMs }
    this.#session.retime(heartbeatMs, Math.max(silenceMs, this.#session.limits.silenceMs))
    await this.#session.send('say', READY)
  }

  /**
   * The stream of one guest; those of several are read side by side. It ends where something else stands in between: the end of an epoch, a word.
   * It fails as `Session.peek`.
   */
  source(member: number): ByteSource {
    return { read: (max) => this.#read(member, max) }
  }

  #read(member: number, max: number): Uint8Array | Promise<Uint8Array | undefined> {
    const spent = this.#spent.get(member)
    if (spent !== undefined) {
      this.#spent.delete(member)
      this.#session.buffers.give(spent) // what was given out of it is not valid any more
    }
    return this.#turn === member && this.#bytes.length > 0 ? this.#part(max) : this.#next(member, max)
  }

  /** The word that is next, if it is one; nothing is waited for beyond the next thing that comes. @throws as `Session.peek` */
  async word(): Promise<string | undefined> {
    if (this.#bytes.length > 0) return undefined
    const item = await this.#session.peek()
    if (item.kind !== 'frame' || item.frame.name !== 'say') return undefined
    this.#session.drop()
    return item.frame.body
  }

  /** The end of the epoch, which has to be next. @returns its number. @throws as `Session.expect` */
  async epochEnd(): Promise<number> {
    if (this.#bytes.length > 0) throw new SessionError('SESSION_UNEXPECTED', 'the stream goes on where the end of an epoch was due')
    return (await this.#session.expect('epoch-end')).epoch
  }

  /** Acknowledges an epoch: it is safe here. @throws as `Session.send` */
  async stored(epoch: number): Promise<void> {
    await this.#session.send('epoch-stored', { epoch, token: this.#token })
    if (epoch === 0) this.#session.retime(this.#times.heartbeatMs, this.#times.silenceMs)
  }

  /** @throws as `Session.send` */
  say(word: string): Promise<void> {
    return this.#session.send('say', word)
  }

  async #next(member: number, max: number): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#bytes.length > 0) {
        if (this.#turn === member) return this.#part(max)
        await this.#turned.until(() => this.#bytes.length === 0)
        continue
      }
      if ((await (this.#fetching ??= this.#fetch())) === 'end') return undefined
    }
  }

  /** Deals with the first thing that comes, for all who wait: bytes, or whose they are; what else comes stays, and ends their streams. */
  async #fetch(): Promise<'more' | 'end'> {
    try {
      const item = await this.#session.peek()
      if (item.kind === 'bytes') {
        this.#session.drop()
        this.#bytes = item.bytes
      } else if (item.frame.name === 'member') {
        const { member } = item.frame.body
        if (member >= this.#members) throw new SessionError('SESSION_UNEXPECTED', `the stream of guest ${member} came; there are ${this.#members}`)
        this.#session.drop()
        this.#turn = member
      } else return 'end'
      return 'more'
    } finally {
      this.#fetching = undefined
    }
  }

  #part(max: number): Uint8Array {
    const part = this.#bytes.subarray(0, max)
    this.#bytes = this.#bytes.subarray(part.length)
    this.#given += part.length
    if (this.#given >= RELEASE || this.#bytes.length === 0) {
      this.#session.take(this.#given)
      this.#given = 0
    }
    if (this.#bytes.length === 0) {
      this.#spent.set(this.#turn, part)
      this.#turned.notify()
    }
    return part
  }
}
