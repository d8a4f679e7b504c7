import { encodeCheckpointState, encodeRecord, LIBXL, libxlHeaderCodec, XL2, type ByteSink } from '@xen-replication/format'
import type { GuestForSave } from '@xen-replication/hypervisor'
import type { ImageSaver } from '@xen-replication/libxc-stream'
import { StreamError } from '../stream-error.ts'
import { emulatorRecords } from './emulator-records.ts'

/**
 * Writes the libxl stream of one guest, step by step, around the image that an `ImageSaver` of the same guest writes: `begin`,
 * then `finish`, or `checkpoint` and `completeCheckpoint` by turns. Each step is given the sink it writes to. A step that failed
 * is the last one; the saver is the caller's to close.
 */
export interface StreamWriter {
  /** Header, LIBXC_CONTEXT, and what the saver's `begin` writes. */
  begin(sink: ByteSink): Promise<void>
  /** The rest of a plain image, the device model, END. The guest stands then. */
  finish(sink: ByteSink): Promise<void>
  /** The image's half of a checkpoint. @param more pfns that a secondary wrote. */
  checkpoint(sink: ByteSink, more?: Iterable<number>): Promise<void>
  /** The other half: the device model as it was when the guest was suspended, CHECKPOINT_END. The guest may run. */
  completeCheckpoint(sink: ByteSink): Promise<void>
  /** COLO: tells the secondary that the next checkpoint begins. */
  announceCheckpoint(sink: ByteSink): Promise<void>
}

/**
 * Begins to write; nothing is written yet.
 *
 * @throws StreamError STREAM_NO_DEVICE_MODEL
 */
export function openStreamWriter({ facts, deviceModel }: GuestForSave, saver: ImageSaver): StreamWriter {
  if (facts.kind === 'hvm' && deviceModel === undefined) {
    throw new StreamError('STREAM_NO_DEVICE_MODEL', 'the host offers no device model of an HVM guest', { hint: 'a guest saved without it could not be restored' })
  }
  return new Writer(saver, facts.kind === 'hvm' ? deviceModel : undefined)
}

/** `image`: within the image; `checkpoint`: between the halves of one. */
type Phase = 'new' | 'image' | 'checkpoint' | 'over'

class Writer implements StreamWriter {
  readonly #saver: ImageSaver
  readonly #deviceModel: GuestForSave['deviceModel']
  #phase: Phase = 'new'
  #checkpoints = 0

  constructor(saver: ImageSaver, deviceModel: GuestForSave['deviceModel']) {
    this.#saver = saver
    this.#deviceModel = deviceModel
  }

  begin(sink: ByteSink): Promise<void> {
    return this.#step('begin()', 'new', 'image', async () => {
      await sink.write([libxlHeaderCodec.encode({ ident: LIBXL.ident, version: LIBXL.version, options: 0 }), empty(XL2.LIBXC_CONTEXT)])
      await this.#saver.begin(sink)
    })
  }

  finish(sink: ByteSink): Promise<void> {
    return this.#step('finish()', 'image', 'over', async () => {
      await this.#saver.finish(sink)
      await sink.write([...(await this.#emulator()), empty(XL2.END)])
    })
  }

  checkpoint(sink: ByteSink, more?: Iterable<number>): Promise<void> {
    return this.#step('checkpoint()', 'image', 'checkpoint', () => this.#saver.checkpoint(sink, more))
  }

  completeCheckpoint(sink: ByteSink): Promise<void> {
    return this.#step('completeCheckpoint()', 'checkpoint', 'image', async () => {
      await sink.write([...(await this.#emulator()), empty(XL2.CHECKPOINT_END)])
      this.#checkpoints++
    })
  }

  announceCheckpoint(sink: ByteSink): Promise<void> {
    return this.#step('announceCheckpoint()', 'image', 'image', () => {
      if (this.#checkpoints === 0) throw outOfOrder('announceCheckpoint() before the first checkpoint')
      return sink.write([encodeCheckpointState('NEW')])
    })
  }

  async #emulator(): Promise<readonly Uint8Array[]> {
    const parts = this.#deviceModel === undefined ? [] : await emulatorRecords(this.#deviceModel)
    return parts.filter(({ length }) => length > 0)
  }

  async #step(name: string, from: Phase, to: Phase, work: () => Promise<void>): Promise<void> {
    if (this.#phase !== from) throw outOfOrder(`${name} in a stream that is ${this.#phase}; it needs to be ${from}`)
    this.#phase = 'over' // until this is done, and when it fails
    await work()
    this.#phase = to
  }
}

const outOfOrder = (what: string): StreamError => new StreamError('STREAM_ORDER', what, { hint: 'a mistake of the program that saves, not of the guest' })

const empty = (type: number): Uint8Array => encodeRecord(type, new Uint8Array(0))
