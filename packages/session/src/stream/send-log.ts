import type { BodyOf, FrameName } from '../frame/table.ts'
import { SessionError } from '../session-error.ts'

/** An ordered frame that the peer has not acknowledged. */
export interface LogItem<N extends FrameName = FrameName> {
  readonly name: N
  readonly number: number
  readonly body: BodyOf<N>
  /** Bytes of the stream in it. */
  readonly bytes: number
}

/** Ordered frames of one side, from the first that may have to be sent again. */
export class SendLog {
  #items: LogItem[] = []
  #last: number
  #bytes = 0

  /** @param last number of the last frame that was sent before, in a session that goes on. */
  constructor(last = 0) {
    this.#last = last
  }

  /** Bytes of the stream that have not been acknowledged. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** Number of the last frame that was sent. */
  get last(): number {
    return this.#last
  }

  /** Number of the first frame that may have to be sent again, or of the next one. */
  get first(): number {
    return this.#items[0]?.number ?? this.#last + 1
  }

  add<N extends FrameName>(name: N, body: BodyOf<N>, bytes: number): LogItem<N> {
    this.#last += 1
    const item = { name, number: this.#last, body, bytes }
    this.#items.push(item as LogItem)
    this.#bytes += bytes
    return item
  }

  /** Forgets frames up to that number. @throws SessionError SESSION_UNEXPECTED when it was never sent */
  acknowledged(number: number): void {
    if (number > this.#last) throw new SessionError('SESSION_UNEXPECTED', `the peer acknowledges frame ${number}; ${this.#last} were sent`)
    const rest = this.#items.filter((item) => item.number > number)
    this.#items = rest
    this.#bytes = rest.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /**
   * What has to be sent again when the peer wants to go on with frame `next`; frames that are added meanwhile show up at the end.
   *
   * @throws SessionError SESSION_GONE when something before that is kept no longer or was never sent
   */
  from(next: number): readonly LogItem[] {
    const first = this.#items[0]?.number ?? this.#last + 1
    if (next < first || next > this.#last + 1) {
      throw new SessionError('SESSION_GONE', `the peer wants to go on with frame ${next}; frames ${first} to ${this.#last} are kept`)
    }
    this.acknowledged(next - 1)
    return this.#items
  }
}
