import type { XrError } from '@xen-replication/errors'
import { XL2, type ByteReader } from '@xen-replication/format'
import type { AbortSignalLike, DeviceModelWriter, GuestForRestore } from '@xen-replication/hypervisor'
import {
  HELD_BYTES_MAX,
  openImageRestorer,
  outOfOrder,
  readHead,
  recordName,
  refused,
  skipBody,
  StreamFeed,
  type Dropped,
  type ImageRestorer,
  type RecordHead,
  type RestoreObserver,
} from '@xen-replication/libxc-stream'
import { StreamError } from '../stream-error.ts'
import { CheckpointGroup } from './checkpoint-group.ts'
import { isForEmulator, readEmulatorRecord } from './emulator-record.ts'
import { readNewState } from './state-record.ts'
import { readStreamStart } from './stream-start.ts'

export interface StreamRestoreOptions {
  /** `plain`: one state; `remus`: checkpoints until the sender is lost; `colo`: that, each announced by a state. */
  readonly streamType: 'plain' | 'remus' | 'colo'
  /** When a checkpoint becomes part of the guest: as soon as it was read, or by `apply()`. Default `at-once`. */
  readonly applies?: 'at-once' | 'when-told' | undefined
  /** Most bytes of a checkpoint to hold back, for each layer. Default HELD_BYTES_MAX of libxc-stream. */
  readonly heldBytesMax?: number | undefined
  readonly observe?: RestoreObserver | undefined
  readonly signal?: AbortSignalLike | undefined
}

/** The sender is gone, and what there is now. */
export type StreamLoss =
  /** The guest is as of its last complete checkpoint; `epochs` are complete, `dropped` came of the next. It may be completed. */
  | { readonly why: 'failover'; readonly epochs: number; readonly dropped: Dropped; readonly error: XrError }
  /** Nothing was complete; the guest is closed. */
  | { readonly why: 'lost'; readonly error: XrError }

/** Why `read()` came back. */
export type StreamStop =
  /** A checkpoint is part of the guest now; epochs count from 0. */
  | { readonly why: 'checkpoint'; readonly epoch: number }
  /** All of it was read. */
  | { readonly why: 'end' }
  | StreamLoss

/** Reads a libxl stream into a guest: what counts is either in place or was never seen. */
export interface StreamRestorer {
  /**
   * Reads up to the next complete checkpoint or the end, and not a byte further.
   *
   * @throws RestoreError, BackendError; the guest is closed then.
   */
  read(): Promise<StreamStop>
  /** Makes the checkpoint that was read part of the guest; only where it is to be told. @throws as `read()` */
  apply(): Promise<void>
  /** Forgets the checkpoint that was read and not applied; nothing can be read after it. */
  drop(): void
  /** COLO: waits for the primary to announce its next checkpoint. Due after each `checkpoint`. @throws as `read()` */
  awaitNew(): Promise<{ readonly why: 'new' } | StreamLoss>
  /**
   * Completes the guest as it is now: at the end, after a failover, and with COLO after each checkpoint. Whether to take over is
   * not decided here. @throws as `read()`
   */
  complete(): Promise<void>
  /** Gives everything back; the guest too, unless it is complete. May be called twice. */
  close(): Promise<void>
}

/**
 * Begins to restore a stream into a guest that exists and is paused; nothing is changed or read yet.
 *
 * @throws StreamError STREAM_NO_DEVICE_MODEL
 */
export function openStreamRestorer(reader: ByteReader, guest: GuestForRestore, options: StreamRestoreOptions): StreamRestorer {
  if (guest.facts.kind === 'hvm' && guest.deviceModel === undefined) {
    throw new StreamError('STREAM_NO_DEVICE_MODEL', 'the host offers no device model for an HVM guest', { hint: 'a mistake of the backend' })
  }
  return new Restorer(reader, guest, options)
}

/** Where the reading stands: in the outer stream, in the image, behind a checkpoint that is held, before a state, or at an end. */
type Phase = 'new' | 'outer' | 'image' | 'held' | 'state' | 'stopped' | 'over'

class Restorer implements StreamRestorer {
  readonly #guest: GuestForRestore
  readonly #deviceModel: DeviceModelWriter | undefined
  readonly #options: StreamRestoreOptions
  readonly #bytesMax: number
  readonly #feed: StreamFeed
  #image: ImageRestorer | undefined
  #phase: Phase = 'new'
  #completed = false
  #group: CheckpointGroup | undefined

  constructor(reader: ByteReader, guest: GuestForRestore, options: StreamRestoreOptions) {
    this.#guest = guest
    this.#deviceModel = guest.facts.kind === 'hvm' ? guest.deviceModel : undefined
    this.#options = options
    this.#bytesMax = options.heldBytesMax ?? HELD_BYTES_MAX
    this.#feed = new StreamFeed(reader, options)
  }

  read(): Promise<StreamStop> {
    return this.#reading<StreamStop>('read()', ['new', 'outer', 'image'], async (from) => {
      if (from === 'new') await readStreamStart(this.#feed)
      return from === 'image' ? this.#readImage(this.#image as ImageRestorer) : this.#readOuter()
    })
  }

  awaitNew(): Promise<{ readonly why: 'new' } | StreamLoss> {
    return this.#reading<{ readonly why: 'new' }>('awaitNew()', ['state'], async () => {
      await readNewState(this.#feed)
      this.#phase = 'image'
      return { why: 'new' }
    })
  }

  apply(): Promise<void> {
    return this.#step('apply()', ['held'], () => this.#apply(this.#image as ImageRestorer))
  }

  drop(): void {
    if (this.#phase !== 'held') throw outOfOrder(`drop() in a restore that is ${this.#phase}; it needs to be held`)
    this.#group = undefined
    this.#image?.drop()
    this.#phase = 'stopped'
  }

  complete(): Promise<void> {
    const whole = (this.#image?.epochs ?? 0) > 0 ? (['image', 'state', 'stopped'] as const) : (['stopped'] as const)
    return this.#step('complete()', whole, async (from) => {
      const frames = await (this.#image as ImageRestorer).complete()
      if (!this.#completed) await this.#guest.complete(frames)
      this.#completed = true
      this.#phase = from
    })
  }

  async close(): Promise<void> {
    this.#phase = 'over'
    this.#image?.close()
    await this.#guest.close()
  }

  async #readOuter(): Promise<StreamStop> {
    for (;;) {
      const head = await readHead(this.#feed, 'libxl')
      if (head === undefined) throw this.#feed.ended({ code: 'XL2_NO_END' })
      if (head.type === XL2.END) return this.#end(head)
      if (head.type === XL2.LIBXC_CONTEXT) {
        const stop = await this.#readImage(await this.#openImage(head))
        if (stop.why !== 'end' || this.#phase === 'stopped') return stop
      } else if (isForEmulator(head)) await (await readEmulatorRecord(this.#feed, head, this.#deviceModel, this.#bytesMax))()
      else throw outOfPlace(head)
    }
  }

  async #end(head: RecordHead): Promise<StreamStop> {
    await skipBody(this.#feed, head)
    if (this.#image === undefined) throw refused('XL2_NO_LIBXC', head)
    this.#phase = 'stopped'
    return { why: 'end' }
  }

  async #openImage(head: RecordHead): Promise<ImageRestorer> {
    await skipBody(this.#feed, head)
    if (this.#image !== undefined) throw refused('XL2_SECOND_LIBXC', head)
    const { streamType, observe, signal } = this.#options
    this.#image = await openImageRestorer(this.#guest, { mode: streamType === 'plain' ? 'plain' : 'checkpointed', heldBytesMax: this.#bytesMax, observe, signal })
    return this.#image
  }

  /** Reads on in the image. Behind a checkpoint its END is the end of all; else the outer stream goes on. */
  async #readImage(image: ImageRestorer): Promise<StreamStop> {
    const segment = await image.readSegment(this.#feed)
    switch (segment.why) {
      case 'checkpoint':
        return this.#readCheckpoint(image)
      case 'end':
        this.#phase = image.epochs > 0 ? 'stopped' : 'outer'
        return { why: 'end' }
      case 'lost':
        this.#phase = 'stopped'
        return { ...segment, why: 'failover', epochs: image.epochs }
    }
  }

  /** The image's half of a checkpoint waits for the other half, and both count together. */
  async #readCheckpoint(image: ImageRestorer): Promise<StreamStop> {
    const group = new CheckpointGroup()
    try {
      await group.read(this.#feed, this.#deviceModel, this.#bytesMax)
    } catch (error) {
      if (!this.#isLoss(error) || image.epochs === 0) throw error
      const { records, bytes } = image.drop()
      const { size } = group
      this.#phase = 'stopped'
      return { why: 'failover', epochs: image.epochs, dropped: { records: records + size.records, bytes: bytes + size.bytes }, error }
    }
    this.#group = group
    this.#phase = 'held'
    if (this.#options.applies === 'when-told') return { why: 'checkpoint', epoch: image.epochs }
    await this.#apply(image)
    return { why: 'checkpoint', epoch: image.epochs - 1 }
  }

  async #apply(image: ImageRestorer): Promise<void> {
    await this.#group?.apply()
    this.#group = undefined
    await image.apply()
    this.#phase = this.#options.streamType === 'colo' ? 'state' : 'image'
  }

  /** Does a step that reads, in which the sender may be lost. */
  #reading<T>(name: string, from: readonly Phase[], work: (from: Phase) => Promise<T>): Promise<T | StreamLoss> {
    return this.#step<T | StreamLoss>(name, from, (phase) => work(phase).catch((error: unknown) => this.#lost(error, phase)))
  }

  async #lost(error: unknown, phase: Phase): Promise<StreamLoss> {
    if (!this.#isLoss(error)) throw error
    if (phase === 'state') {
      this.#phase = 'stopped'
      return { why: 'failover', epochs: (this.#image as ImageRestorer).epochs, dropped: { records: 0, bytes: 0 }, error }
    }
    await this.close()
    return { why: 'lost', error }
  }

  /** Does a step: none may follow it until it is done, or if it fails, and then the guest is closed. */
  async #step<T>(name: string, from: readonly Phase[], work: (from: Phase) => Promise<T>): Promise<T> {
    const phase = this.#phase
    if (!from.includes(phase)) throw outOfOrder(`${name} in a restore that is ${phase}; it needs to be ${from.join(' or ')}`)
    this.#phase = 'over'
    try {
      return await work(phase)
    } catch (error) {
      await this.close().catch(() => undefined) // what went wrong first is what matters
      throw error
    }
  }

  #isLoss(error: unknown): error is XrError {
    return error !== undefined && error === this.#feed.lost
  }
}

function outOfPlace(head: RecordHead): Error {
  switch (head.type) {
    case XL2.CHECKPOINT_END:
      return refused('XL2_CHECKPOINT_END_ALONE', head)
    case XL2.CHECKPOINT_STATE:
      return refused('XL2_STATE_ALONE', head)
    default:
      return refused('XL2_UNKNOWN_TYPE', head, recordName(head))
  }
}
