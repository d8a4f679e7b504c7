import { XC, type ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, GuestForSave } from '@xen-replication/hypervisor'
import { requireGoing } from './abort.ts'
import { ByteCount, type CountedSink } from './counted-sink.ts'
import type { GuestShape } from './guests/guest-shape.ts'
import { openHvm } from './guests/x86-hvm.ts'
import { openPv } from './guests/x86-pv.ts'
import { imageStart } from './image-start.ts'
import { PageSet } from './page-set.ts'
import { PageWriter } from './page-writer.ts'
import { precopyAsXen, type PrecopyPolicy } from './precopy-policy.ts'
import { precopy } from './precopy.ts'
import { recordParts } from './record-parts.ts'
import { SaveError } from './save-error.ts'
import type { SaveEvent, SaveObserver } from './save-event.ts'
import type { SaveRun } from './save-run.ts'
import { collectLast, requireSuspended, suspend } from './stop.ts'

export interface SaveOptions {
  /** `stopped`: all memory is sent while the guest stands; `live`: most of it before; `checkpointed`: that, then what changes, over and over. */
  readonly mode: 'stopped' | 'live' | 'checkpointed'
  /** Sends all memory a second time, for the restorer to compare. Live saves only; others pass over it. */
  readonly verify?: boolean | undefined
  /** Whether holes of the guest's memory have entries; `left-out` is smaller and as good. Default `as-xen`. */
  readonly holes?: 'as-xen' | 'left-out' | undefined
  readonly policy?: PrecopyPolicy | undefined
  readonly observe?: SaveObserver | undefined
  readonly signal?: AbortSignalLike | undefined
}

/**
 * Writes the libxc image of one guest, step by step, so that the layer around it can write between the steps, to the same sink:
 * `begin`, then `finish`, or `checkpoint` as often as wanted. A step that failed is the last one but `close`.
 * While the guest runs the sink sees its memory as it changes: who needs a page twice (to send and to sum it) copies it.
 */
export interface ImageSaver {
  /** One above the guest's highest pfn. */
  readonly pages: number
  /** Headers, static data and, unless `stopped`, memory while the guest runs. */
  begin(sink: ByteSink): Promise<void>
  /** Suspends the guest. The next step does so itself where this was not called. @throws SaveError SAVE_NOT_SUSPENDED */
  stop(): Promise<void>
  /** The rest of an image that is not checkpointed. */
  finish(sink: ByteSink): Promise<void>
  /**
   * What changed since the last checkpoint, up to the CHECKPOINT record. The caller then resumes the guest; writing to a
   * `StagedSink` lets it do so before anything is sent.
   *
   * @param more pfns to be sent as well: those that a secondary wrote.
   */
  checkpoint(sink: ByteSink, more?: Iterable<number>): Promise<void>
  /** Undoes what the save did to the guest, at whatever point; the guest is not resumed. Never throws; may be called twice. */
  close(): Promise<void>
}

/**
 * Begins to save a guest; nothing is changed or written yet.
 *
 * @throws SaveError SAVE_P2M; BackendError
 */
export async function openImageSaver(guest: GuestForSave, options: SaveOptions): Promise<ImageSaver> {
  return new Saver(guest, await (guest.pv === undefined ? openHvm(guest) : openPv(guest, guest.pv)), options)
}

/** How to put something back that the save changed. */
interface Undo {
  readonly what: 'log-dirty-off' | 'device-model-log-dirty-off'
  readonly undo: () => Promise<void>
}

type Phase = 'new' | 'begun' | 'stopped' | 'over'

class Saver implements ImageSaver {
  readonly #run: SaveRun
  readonly #mode: SaveOptions['mode']
  readonly #verify: boolean
  readonly #bytes = new ByteCount()
  readonly #undo: Undo[] = []
  #phase: Phase = 'new'
  /** Live rounds that came before the last pass; once there are checkpoints, how many. */
  #round = 0

  constructor(guest: GuestForSave, shape: GuestShape, { mode, verify = false, holes = 'as-xen', policy = precopyAsXen, observe = () => undefined, signal }: SaveOptions) {
    const writer = new PageWriter({ memory: guest.memory, shape, holes, observe, signal })
    this.#run = { guest, shape, writer, todo: new PageSet(shape.pages), policy, observe, signal }
    this.#mode = mode
    this.#verify = verify && mode === 'live'
  }

  get pages(): number {
    return this.#run.shape.pages
  }

  begin(sink: ByteSink): Promise<void> {
    return this.#step(['new'], 'begun', async () => {
      const { guest, shape } = this.#run
      const out = this.#bytes.over(sink)
      await this.#logDeviceModel()
      await out.write(await imageStart(guest, shape))
      if (this.#mode === 'stopped') return
      this.#undo.unshift({ what: 'log-dirty-off', undo: async () => guest.dirty.disable() })
      const rounds = await precopy(this.#run, out)
      if (this.#mode === 'live') this.#round = rounds
    })
  }

  stop(): Promise<void> {
    return this.#step(['begun'], 'stopped', () => suspend(this.#run))
  }

  async finish(sink: ByteSink): Promise<void> {
    this.#requireMode('finish', this.#mode !== 'checkpointed')
    if (this.#phase === 'begun') await this.stop()
    await this.#step(['stopped'], 'over', async () => {
      const out = this.#bytes.over(sink)
      await this.#lastPages('final', out, [])
      if (this.#verify) await this.#sendAgain(out)
      await this.#state(out, XC.END)
    })
  }

  async checkpoint(sink: ByteSink, more: Iterable<number> = []): Promise<void> {
    this.#requireMode('checkpoint', this.#mode === 'checkpointed')
    if (this.#phase === 'begun') await this.stop()
    await this.#step(['stopped'], 'begun', async () => {
      const out = this.#bytes.over(sink)
      await this.#lastPages('checkpoint', out, more)
      await this.#state(out, XC.CHECKPOINT)
      this.#round++
    })
  }

  async close(): Promise<void> {
    this.#phase = 'over'
    const troubles: SaveEvent[] = []
    for (const { what, undo } of this.#undo.splice(0)) await undo().catch((error: unknown) => troubles.push({ type: 'trouble', what, error }))
    this.#run.shape.close()
    troubles.forEach(this.#run.observe)
  }

  async #lastPages(pass: 'final' | 'checkpoint', out: CountedSink, more: Iterable<number>): Promise<void> {
    const { shape, writer, todo } = this.#run
    const round = this.#round
    shape.verifyUnmoved()
    let expected = shape.pages
    if (this.#mode === 'stopped') todo.fill()
    else expected = await collectLast(this.#run, round, more)
    await writer.send(todo, { pass, round, expected, later: 'no' }, out)
    writer.forgetDeferred()
  }

  async #sendAgain(out: CountedSink): Promise<void> {
    const { guest, shape, writer, todo, observe } = this.#run
    await out.write(recordParts(XC.VERIFY))
    todo.fill()
    await writer.send(todo, { pass: 'verify', round: this.#round, expected: shape.pages, later: 'no' }, out)
    observe({ type: 'dirty', round: this.#round, pages: (await guest.dirty.peek(shape.pages)).estimate })
  }

  async #state(out: CountedSink, end: number): Promise<void> {
    const { guest, shape, signal } = this.#run
    requireGoing(signal)
    await requireSuspended(guest)
    await out.write([...(await shape.tail()), ...recordParts(end)])
  }

  /** Has the emulator report its writes, before any page is read; PVH guests have none. */
  async #logDeviceModel(): Promise<void> {
    const { deviceModel } = this.#run.guest
    if (deviceModel === undefined) return
    this.#undo.push({ what: 'device-model-log-dirty-off', undo: async () => deviceModel.logDirty('off') })
    await deviceModel.logDirty('on')
  }

  #requireMode(step: string, fits: boolean): void {
    if (!fits) throw outOfOrder(`${step}() belongs to another kind of image than a ${this.#mode} one`)
  }

  async #step(from: readonly Phase[], to: Phase, work: () => Promise<void>): Promise<void> {
    if (!from.includes(this.#phase)) throw outOfOrder(`the save is ${this.#phase}, this step needs it to be ${from.join(' or ')}`)
    this.#phase = 'over' // until this is done, and when it fails
    requireGoing(this.#run.signal)
    await work()
    this.#phase = to
  }
}

const outOfOrder = (what: string): SaveError => new SaveError('SAVE_ORDER', what, { hint: 'a mistake of the program that saves, not of the guest' })
