import type { Frame, FrameName } from '../frame/table.ts'
import { SessionError } from '../session-error.ts'

/** What may wait for the application: a piece of the stream, or an ordered frame. */
export type InboxItem =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly number: number }
  | { readonly kind: 'frame'; readonly frame: Frame<Exclude<FrameName, 'data'>> }

/** Most frames that wait, those of the stream not counted: the peer has to wait for answers. */
const FRAMES_MOST = 256

/** Ordered frames that came, verified, in order. Its size is limited. */
export class Inbox {
  readonly #items: InboxItem[] = []
  readonly #window: number
  #bytes = 0
  #frames = 0

  /** @param window bytes of the stream that may wait. */
  constructor(window: number) {
    this.#window = window
  }

  get first(): InboxItem | undefined {
    return this.#items[0]
  }

  /** Whether a batch of so many bytes may come. @throws SessionError SESSION_WINDOW */
  admit(bytes: number): void {
    if (this.#bytes + bytes > this.#window) throw new SessionError('SESSION_WINDOW', `the peer sent ${bytes} bytes more with ${this.#bytes} of ${this.#window} waiting`)
  }

  /** @throws SessionError SESSION_WINDOW */
  add(item: InboxItem): void {
    if (item.kind === 'bytes') this.#bytes += item.bytes.length
    else this.#frames += 1
    if (this.#frames > FRAMES_MOST) throw new SessionError('SESSION_WINDOW', `more than ${FRAMES_MOST} frames wait`)
    this.#items.push(item)
  }

  /** Lets the first go. Bytes count until `taken()`. */
  shift(): void {
    if (this.#items.shift()?.kind === 'frame') this.#frames -= 1
  }

  /** The application is done with so many bytes. */
  taken(bytes: number): void {
    this.#bytes -= bytes
  }
}
