import type { Frame, FrameName } from '../frame/table.ts'
import { leavesOutZeros, packsPages, type Agreement } from '../hello/agreement.ts'
import { unpackBatch } from '../pack/pack-batch.ts'
import { COPIES_MOST, PageCopies } from '../pack/page-copies.ts'
import { PageUnpacker } from '../pack/page-packer.ts'
import { SessionError } from '../session-error.ts'
import type { Buffers } from './buffers.ts'
import { Inbox, type InboxItem } from './inbox.ts'

/** Ordered frames of the peer: looks that they come in order, unpacks batches, keeps them for the application. */
export class Arrivals {
  readonly #agreement: Agreement
  readonly #inbox: Inbox
  readonly #buffers: Buffers
  #received: number
  #verified: number
  #taken: number
  /** Takes packed pages apart, once that was agreed on. */
  #pages: PageUnpacker | undefined

  /** @param received last frame that came before, in a session that goes on. @param offset bytes of the stream before */
  constructor(agreement: Agreement, buffers: Buffers, received: number, offset: number) {
    this.#agreement = agreement
    this.#buffers = buffers
    this.#inbox = new Inbox(agreement.role === 'receiver' ? agreement.window : 0)
    this.#received = received
    this.#verified = offset
    this.#taken = offset
  }

  /** Number of the last frame that came. */
  get received(): number {
    return this.#received
  }

  /** Bytes of the stream that came and are what was sent. */
  get verified(): number {
    return this.#verified
  }

  /** Bytes of the stream that the application has taken. */
  get taken(): number {
    return this.#taken
  }

  get first(): InboxItem | undefined {
    return this.#inbox.first
  }

  /** The first has been dealt with; its bytes count until they are taken. */
  drop(): void {
    this.#inbox.shift()
  }

  take(bytes: number): void {
    this.#taken += bytes
    this.#inbox.taken(bytes)
  }

  /** @throws SessionError SESSION_UNEXPECTED, SESSION_WINDOW, SESSION_DAMAGED, SESSION_TOO_LARGE */
  async add(frame: Frame): Promise<void> {
    if (frame.number !== this.#received + 1) throw new SessionError('SESSION_UNEXPECTED', `frame ${frame.number} came where ${this.#received + 1} was due`)
    if (frame.name === 'data') await this.#addBatch(frame)
    else if (frame.name === 'protect') this.#keepCopies(frame.body.copies)
    if (frame.name !== 'data' && !last.has(frame.name)) this.#inbox.add({ kind: 'frame', frame: frame as Frame<Exclude<FrameName, 'data'>> })
    this.#received = frame.number
  }

  /** @throws SessionError SESSION_UNEXPECTED, SESSION_TOO_LARGE */
  #keepCopies(copies: number): void {
    if (copies === 0) return
    if (!packsPages(this.#agreement)) throw new SessionError('SESSION_UNEXPECTED', 'pages are to be packed, which was not agreed on')
    if (copies > COPIES_MOST) throw new SessionError('SESSION_TOO_LARGE', `copies of ${copies} pages are to be kept; ${COPIES_MOST} are allowed`)
    this.#pages = new PageUnpacker(new PageCopies(copies))
  }

  async #addBatch({ number, body }: Frame<'data'>): Promise<void> {
    if (body.offset !== this.#verified) throw new SessionError('SESSION_UNEXPECTED', `byte ${body.offset} of the stream came where ${this.#verified} was due`)
    this.#inbox.admit(body.length)
    const { batch, compressor } = this.#agreement
    const memory = (size: number): Uint8Array => this.#buffers.take(size)
    const bytes = await unpackBatch(body, { zeros: leavesOutZeros(this.#agreement), compressor, pages: this.#pages, memory }, batch)
    if (bytes.buffer !== body.payload.buffer) this.#buffers.give(body.payload)
    this.#verified += bytes.length
    this.#inbox.add({ kind: 'bytes', bytes, number })
  }
}

/** Frames after which nothing else matters; they are not kept for the application, which is told otherwise. */
const last: ReadonlySet<FrameName> = new Set(['bye', 'abort', 'given-back'])
