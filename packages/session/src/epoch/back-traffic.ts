import type { ByteSource } from '@xen-replication/format'
import type { SentPacket } from '../frame/packets.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import type { InboxItem } from '../stream/inbox.ts'
import { asError } from '../wire/as-error.ts'
import { Condition } from '../wire/condition.ts'

/** Words that wait to be taken; a peer has to wait for answers. */
const WORDS_MAX = 64
/** Bytes of a dirty list: the most that a record of the format may have, with its head. */
const BACK_BYTES_MAX = (128 << 20) + 16

/**
 * What the receiver of a replication says while the two are in lock-step: packets of its guest, which are handed on as they come, words, and the bytes of
 * dirty lists. It is taken in as it comes, so that packets never have to wait behind a word that nobody has time for.
 */
export class BackTraffic {
  readonly #session: Session
  readonly #wordOf: (item: InboxItem) => string
  readonly #changed = new Condition()
  readonly #words: string[] = []
  #pieces: Uint8Array[] = []
  #bytes = 0
  #failure: Error | undefined

  /**
   * @param wordOf the word that something from the peer stands for; throws where it stands for none.
   * @param packets is told of packets.
   */
  constructor(session: Session, wordOf: (item: InboxItem) => string, packets: (packets: readonly SentPacket[]) => void) {
    this.#session = session
    this.#wordOf = wordOf
    this.#run(packets).catch((error: unknown) => {
      this.#failure = asError(error)
      this.#changed.notify()
    })
  }

  /** The first word, which stays until it is taken. @throws as `Session.peek`; SessionError SESSION_UNEXPECTED */
  async word(): Promise<string> {
    await this.#changed.until(() => this.#words.length > 0 || this.#checked())
    return this.#words[0] as string
  }

  take(): void {
    this.#words.shift()
  }

  /** Bytes of dirty lists in their order. It fails as `word`. */
  get bytes(): ByteSource {
    return {
      read: async (max) => {
        await this.#changed.until(() => this.#pieces.length > 0 || this.#checked())
        const first = this.#pieces[0] as Uint8Array
        const part = first.subarray(0, max)
        this.#bytes -= part.length
        if (part.length === first.length) this.#pieces.shift()
        else this.#pieces[0] = first.subarray(part.length)
        return part
      },
    }
  }

  #checked(): false {
    if (this.#failure !== undefined) throw this.#failure
    return false
  }

  async #run(packets: (packets: readonly SentPacket[]) => void): Promise<never> {
    for (;;) {
      const item = await this.#session.peek()
      if (item.kind === 'frame' && item.frame.name === 'packets') packets(item.frame.body)
      else if (item.kind === 'frame' && item.frame.name === 'back') this.#keep(item.frame.body)
      else this.#words.push(this.#wordOf(item))
      this.#session.drop()
      if (this.#words.length > WORDS_MAX || this.#bytes > BACK_BYTES_MAX) throw this.#tooMuch()
      this.#changed.notify()
    }
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
  }

  #tooMuch(): SessionError {
    const error = new SessionError('SESSION_WINDOW', this.#words.length > WORDS_MAX ? `more than ${WORDS_MAX} words wait` : 'a dirty list is longer than any can be')
    this.#session.fail(error)
    return error
  }
}
