import type { ByteSource } from '@xen-replication/format'
import { same } from '../hello/greet.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { StreamDigest } from './stream-digest.ts'

const none = new Uint8Array(0)
/** Bytes of a batch that are given out before the sender is told. */
const RELEASE = 256 * 1024

/**
 * The stream of a session, to be read. It ends where an ordered frame stands in between; at the end of the stream its length and digest are compared
 * before that is said.
 */
export class StreamSource implements ByteSource {
  readonly #session: Session
  readonly #digest: StreamDigest
  #offset: number
  #bytes = none
  /** All of what is given out now. */
  #batch = this.#bytes
  #given = 0
  #number = 0
  #whole = false

  /** @param begun digest of the bytes that came before, in a session that goes on. */
  constructor(session: Session, begun = new StreamDigest(session.agreement.key)) {
    this.#session = session
    this.#digest = begun
    this.#offset = session.taken
  }

  /** The stream has ended and is exactly what was sent. */
  get isWhole(): boolean {
    return this.#whole
  }

  /** Bytes of the stream that were given out, and the last frame that was given out completely. */
  get place(): { readonly offset: number; readonly frame: number } {
    return { offset: this.#offset - this.#bytes.length, frame: this.#bytes.length > 0 ? this.#number - 1 : this.#number }
  }

  /** @throws as `Session.peek`; SessionError SESSION_DIGEST */
  read(max: number): Uint8Array | Promise<Uint8Array | undefined> {
    if (this.#bytes.length === 0 || this.#given >= RELEASE) this.#release()
    return this.#bytes.length > 0 ? this.#part(max) : this.#next(max)
  }

  async #next(max: number): Promise<Uint8Array | undefined> {
    if (this.#whole) return undefined
    this.#session.buffers.give(this.#batch) // what was given out is not valid any more
    this.#batch = none
    const item = await this.#session.peek()
    if (item.kind === 'bytes') {
      this.#session.drop()
      this.#digest.update(item.bytes)
      this.#offset += item.bytes.length
      this.#number = item.number
      this.#bytes = item.bytes as Uint8Array<ArrayBuffer>
      this.#batch = this.#bytes
      return this.#part(max)
    }
    if (item.frame.name === 'end') {
      this.#compare(item.frame.body)
      this.#session.drop()
      this.#number = item.frame.number
    }
    return undefined
  }

  #part(max: number): Uint8Array {
    const part = this.#bytes.subarray(0, max)
    this.#bytes = this.#bytes.subarray(part.length)
    this.#given += part.length
    return part
  }

  /** Lets the sender send as much again. */
  #release(): void {
    if (this.#given > 0) this.#session.take(this.#given)
    this.#given = 0
  }

  #compare({ bytes, digest }: { readonly bytes: number; readonly digest: Uint8Array }): void {
    if (bytes !== this.#offset || !same(this.#digest.digest(), digest)) {
      throw new SessionError('SESSION_DIGEST', `${this.#offset} bytes came that are not the ${bytes} which were sent`)
    }
    this.#whole = true
  }
}
