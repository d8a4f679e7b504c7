import type { XrError } from '@xen-replication/errors'
import { ByteReader, LIBXC_BODY_MAX, XC } from '@xen-replication/format'
import type { AbortSignalLike, GuestForRestore } from '@xen-replication/hypervisor'
import type { RingFrames } from './guests/guest-target.ts'
import { HeldRecords } from './held-records.ts'
import { readImageStart } from './image-start.ts'
import { readHead, skipBody, type RecordHead } from './record-head.ts'
import { RecordHandler } from './record-handler.ts'
import type { RestoreObserver } from './restore-event.ts'
import { outOfOrder, refused, type StreamPlace } from './restore-error.ts'
import { StreamFeed } from './stream-feed.ts'
import { openTarget } from './open-target.ts'

/** Most bytes of a checkpoint that are held back unless told otherwise: Xen itself knows no limit. */
export const HELD_BYTES_MAX = 1 << 30

export interface RestoreOptions {
  /** Whether CHECKPOINT records may come. */
  readonly mode: 'plain' | 'checkpointed'
  /** Most bytes of a checkpoint to hold back until it is complete. Default HELD_BYTES_MAX. */
  readonly heldBytesMax?: number | undefined
  readonly observe?: RestoreObserver | undefined
  readonly signal?: AbortSignalLike | undefined
}

/** What was read but is no part of the guest. */
export interface Dropped {
  readonly records: number
  readonly bytes: number
}

/** Why `readSegment()` came back. */
export type Segment =
  /** A CHECKPOINT record: what came is to be applied, or dropped, before reading on. */
  | { readonly why: 'checkpoint' }
  /** The END record; a checkpoint that had begun before it is dropped. */
  | { readonly why: 'end'; readonly dropped: Dropped }
  /** The other end is gone; the guest is as of the last checkpoint applied. Without one, losing the other end is an error. */
  | { readonly why: 'lost'; readonly dropped: Dropped; readonly error: XrError }

/**
 * Reads a libxc image into a guest, piece by piece, so that the layer around it can read on from the same feed in between.
 * Up to the first checkpoint records take effect as they come; later ones are held back until `apply()`.
 */
export interface ImageRestorer {
  /** Checkpoints that are part of the guest. */
  readonly epochs: number
  /**
   * Reads up to the next CHECKPOINT or END and not a byte further. Records held back are judged by themselves at once, so that
   * a damaged one leaves the guest as it is.
   *
   * @throws RestoreError; BackendError of any port. No step but `close()` may follow.
   */
  readSegment(feed: StreamFeed): Promise<Segment>
  /** Makes the checkpoint that was read part of the guest. @throws RestoreError, BackendError: the guest is damaged then. */
  apply(): Promise<void>
  /** Forgets the checkpoint that was read; nothing can be read after it. @returns what that was. */
  drop(): Dropped
  /**
   * Puts in place what comes last, at the end or when the other end is gone. HVM guests may be completed after each checkpoint.
   *
   * @returns frames of the rings, for `GuestForRestore.complete()`.
   */
  complete(): Promise<RingFrames>
  /** Gives memory back; the guest is the caller's to close. */
  close(): void
}

/**
 * Begins to restore into a guest that exists and is paused; nothing is changed or read yet.
 *
 * @throws RestoreError RESTORE_GUEST; BackendError
 */
export async function openImageRestorer(guest: GuestForRestore, options: RestoreOptions): Promise<ImageRestorer> {
  return new Restorer(await openTarget(guest, options.observe), options)
}

/** `reading`: may read on; `read`: a checkpoint waits for `apply()`; `stopped`: only `complete()` may follow; `over`: nothing may. */
type Phase = 'new' | 'reading' | 'read' | 'stopped' | 'over'

class Restorer implements ImageRestorer {
  readonly #handler: RecordHandler
  readonly #options: RestoreOptions
  #held: HeldRecords | undefined
  #phase: Phase = 'new'
  #whole = false // the guest is as of an END or a checkpoint
  #epochs = 0
  #place: StreamPlace = { offset: 0 } // where the stream ends

  constructor(handler: RecordHandler, options: RestoreOptions) {
    this.#handler = handler
    this.#options = options
  }

  get epochs(): number {
    return this.#epochs
  }

  async readSegment(feed: StreamFeed): Promise<Segment> {
    const from = this.#enter('readSegment()', ['new', 'reading'])
    if (from === 'new') this.#handler.begin(await readImageStart(feed, this.#handler.kind))
    try {
      const why = await this.#read(feed)
      this.#phase = why === 'end' ? 'stopped' : 'read'
      if (why === 'checkpoint') return { why }
      this.#whole = true
      return { why, dropped: this.#drop() }
    } catch (error) {
      if (this.#held === undefined || feed.lost === undefined || feed.lost !== error) throw error
      this.#phase = 'stopped'
      this.#place = { offset: feed.offset }
      return { why: 'lost', dropped: this.#drop(), error: feed.lost }
    }
  }

  async apply(): Promise<void> {
    this.#enter('apply()', ['read'])
    this.#whole = false
    const bytes = await this.#replay()
    this.#whole = true
    this.#phase = 'reading'
    const epoch = this.#epochs++
    this.#options.observe?.({ type: 'checkpoint', epoch, bytes })
  }

  drop(): Dropped {
    this.#enter('drop()', ['read'])
    this.#phase = 'stopped'
    return this.#drop()
  }

  async complete(): Promise<RingFrames> {
    const from = this.#enter('complete()', ['reading', 'stopped'])
    if (!this.#whole) throw refused('XC_NO_CHECKPOINT', this.#place)
    const frames = await this.#handler.complete(this.#place)
    this.#phase = from
    return frames
  }

  close(): void {
    this.#phase = 'over'
    this.#held = undefined
  }

  async #read(feed: StreamFeed): Promise<'checkpoint' | 'end'> {
    for (;;) {
      const head = await readHead(feed, 'libxc')
      if (head === undefined) throw feed.ended({ code: this.#options.mode === 'plain' || this.#held !== undefined ? 'XC_NO_END' : 'XC_NO_CHECKPOINT' })
      if (head.length > LIBXC_BODY_MAX) throw refused('XC_LENGTH_MAX', head, `${head.length} bytes`)
      switch (head.type) {
        case XC.END:
          await skipBody(feed, head)
          this.#place = { offset: head.offset, record: head.record }
          return 'end'
        case XC.CHECKPOINT:
          this.#requireCheckpointed(head)
          await skipBody(feed, head)
          this.#place = { offset: feed.offset }
          return 'checkpoint'
        default:
          if (this.#held === undefined) await this.#handler.take(feed, head)
          else await this.#handler.hold(feed, head, this.#held)
      }
    }
  }

  /** @returns bytes that had been held back. */
  async #replay(): Promise<number> {
    const held = this.#held
    const start = held?.start
    if (held === undefined) this.#held = new HeldRecords(this.#options.heldBytesMax ?? HELD_BYTES_MAX)
    if (held === undefined || start === undefined) return 0
    const { bytes } = held
    const feed = new StreamFeed(new ByteReader(held.source(), start.offset), { signal: this.#options.signal, records: start.record })
    for (let head = await readHead(feed, 'libxc'); head !== undefined; head = await readHead(feed, 'libxc')) await this.#handler.take(feed, head)
    held.clear()
    return bytes
  }

  #drop(): Dropped {
    const { records = 0, bytes = 0 } = this.#held ?? {}
    this.#held?.clear()
    return { records, bytes }
  }

  #requireCheckpointed(head: RecordHead): void {
    if (this.#options.mode === 'plain') throw refused('XC_CHECKPOINT_PLAIN', head)
  }

  /** Begins a step: nothing may follow it until it is done, or if it fails. */
  #enter(step: string, from: readonly Phase[]): Phase {
    const phase = this.#phase
    if (!from.includes(phase)) throw outOfOrder(`${step} in a restore that is ${phase}; it needs to be ${from.join(' or ')}`)
    this.#phase = 'over'
    return phase
  }
}
