import { isXrError } from '@xen-replication/errors'
import type { ByteSink } from '@xen-replication/format'
import { PAGE_SIZE, type AbortSignalLike, type CheckpointDevice, type DomainSummary, type GuestForSave, type Lifecycle } from '@xen-replication/hypervisor'
import { openImageSaver, StagedSink, type ImageSaver, type SaveEvent } from '@xen-replication/libxc-stream'
import { openStreamWriter, type StreamWriter } from '@xen-replication/libxl-stream'
import { tellSave } from '../observe/engine-events.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import type { Operation } from '../operations/operation.ts'
import type { Holes } from '../operations/write-guest.ts'
import { encodeXlStart } from '../xl/xl-start.ts'

/** Largest staging area, in bytes; what an epoch has beyond it is sent while the guest stands. */
export const STAGE_BYTES_MAX = 64 << 20
/** Room for what an image has beside its pages, in bytes. */
const BESIDE_PAGES = 4 << 20

export interface ProtectedGuestOptions {
  readonly domain: DomainSummary
  /** libxl JSON. */
  readonly config: string
  readonly guest: GuestForSave
  /** Those that are held back. */
  readonly devices: readonly CheckpointDevice[]
  /** Names the pair. */
  readonly session: string
  /** Where the stream goes. */
  readonly sink: ByteSink
  readonly stageBytesMax: number
  readonly holes: Holes
}

/** A guest whose state is copied to a peer over and over while it runs here. */
export class ProtectedGuest {
  readonly domain: DomainSummary
  readonly #options: ProtectedGuestOptions
  readonly #saver: ImageSaver
  readonly #writer: StreamWriter
  readonly #staged: StagedSink
  readonly #stop: AbortController
  #counts: { pages: number; spilled: number }
  #stands = false
  #holding = false
  #stagedBytes = 0
  #sent = 0
  readonly #counted: ByteSink
  #fate: GuestFate = 'runs'

  /** @throws SaveError, StreamError, BackendError */
  static async open(options: ProtectedGuestOptions, { emit, now }: Pick<Operation, 'emit' | 'now'>): Promise<ProtectedGuest> {
    const counts = { pages: 0, spilled: 0 }
    const stop = new AbortController()
    const tell = tellSave(emit, now)
    const observe = (event: SaveEvent): void => {
      if (event.type === 'pass-end' && event.pass === 'checkpoint') counts.pages = event.sent
      tell(event)
    }
    const saver = await openImageSaver(options.guest, { mode: 'checkpointed', holes: options.holes, signal: stop.signal, observe })
    return new ProtectedGuest(options, saver, counts, stop)
  }

  private constructor(options: ProtectedGuestOptions, saver: ImageSaver, counts: { pages: number; spilled: number }, stop: AbortController) {
    const { domain, guest, sink, stageBytesMax } = options
    this.domain = domain
    this.#options = options
    this.#saver = saver
    this.#writer = openStreamWriter(guest, saver)
    this.#counts = counts
    this.#stop = stop
    this.#counted = {
      write: (parts) => {
        this.#sent += parts.reduce((sum, { length }) => sum + length, 0)
        return sink.write(parts)
      },
    }
    const bytes = Math.min(domain.pages * PAGE_SIZE + BESIDE_PAGES, stageBytesMax)
    this.#staged = new StagedSink(sink, { bytes, spilled: (more) => (counts.spilled += more) })
  }

  /** How it stands here. */
  get fate(): GuestFate {
    return this.#fate
  }

  /** Pages and bytes of the epoch that was staged last. */
  get epoch(): { readonly pages: number; readonly bytes: number } {
    return { pages: this.#counts.pages, bytes: this.#stagedBytes }
  }

  /** Whether it has to stand until the backup has the epoch. */
  get standsUntilStored(): boolean {
    return this.#options.devices.some(({ standsUntil }) => standsUntil === 'stored')
  }

  /** Sends configuration and memory while the guest runs. */
  async precopy(signal: AbortSignalLike): Promise<void> {
    const { sink, config } = this.#options
    const stop = (): void => this.#stop.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    try {
      await sink.write(encodeXlStart(config))
      await this.#writer.begin(sink)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async suspend(): Promise<void> {
    if (this.#stands) return
    await this.#saver.stop()
    this.#stands = true
    this.#fate = 'suspended'
  }

  /** Ends an epoch at its devices; the first time they begin to hold back. */
  async postsuspend(epoch: number): Promise<void> {
    const { devices, session } = this.#options
    if (!this.#holding) {
      this.#holding = true
      await Promise.all(devices.map((device) => device.setup(session)))
    }
    await Promise.all(devices.map((device) => device.postsuspend(epoch)))
  }

  /** Copies what changed, and the state of the devices, into the staging area. */
  async stage(): Promise<void> {
    this.#counts.spilled = 0
    await this.#writer.checkpoint(this.#staged)
    await this.#writer.completeCheckpoint(this.#staged)
    this.#stagedBytes = this.#staged.held + this.#counts.spilled
  }

  /** Writes what changed here, and what the guest of the secondary changed there, straight to the peer. */
  async sendMemory(more: readonly number[]): Promise<void> {
    this.#sent = 0
    await this.#writer.checkpoint(this.#counted, more)
  }

  /** Writes the state of the devices, and the end of the checkpoint. */
  async sendState(): Promise<void> {
    await this.#writer.completeCheckpoint(this.#counted)
    this.#stagedBytes = this.#sent
  }

  /** Tells the secondary that the next checkpoint begins. */
  announce(): Promise<void> {
    return this.#writer.announceCheckpoint(this.#options.sink)
  }

  async preresume(epoch: number): Promise<void> {
    await Promise.all(this.#options.devices.map((device) => device.preresume(epoch)))
  }

  /** Lets it go on, whatever made it stand. */
  async resume(): Promise<void> {
    const { lifecycle } = this.#options.guest
    try {
      await lifecycle.resume('cancelled')
      await lifecycle.unpause()
      this.#fate = 'runs'
    } catch (error) {
      if (!(await hasEnded(lifecycle))) throw error
      this.#fate = 'ended' // it came to an end by itself, those of its group go on
    }
    this.#stands = false
  }

  /** Pauses it at once. */
  async stand(): Promise<void> {
    await this.#options.guest.lifecycle.pause()
    this.#fate = 'paused'
  }

  send(): Promise<void> {
    return this.#staged.release()
  }

  async commit(epoch: number): Promise<void> {
    await Promise.all(this.#options.devices.map((device) => device.commit(epoch)))
  }

  /** Effects that wait to be seen outside. */
  async waiting(): Promise<number> {
    const counts = await Promise.all(this.#options.devices.map((device) => device.waiting()))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Ends the holding back. `drop`: what is held must never be seen. */
  async letGo(held: 'release' | 'drop'): Promise<void> {
    if (!this.#holding) return
    this.#holding = false
    await Promise.all(this.#options.devices.map((device) => device.teardown(held)))
  }

  async destroy(): Promise<void> {
    await this.letGo('drop')
    await this.#options.guest.lifecycle.destroy()
    this.#fate = 'gone'
  }

  /** Gives everything back; the guest stays as it stands. What is still held is never seen. Never throws. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the replication is over'))
    await this.letGo('drop').catch(() => undefined)
    await this.#saver.close()
    await this.#options.guest.close().catch(() => undefined)
  }
}

/** Whether a guest came to an end by itself, or somebody destroyed it. @throws BackendError */
async function hasEnded(lifecycle: Lifecycle): Promise<boolean> {
  try {
    const { dying, shutdown } = await lifecycle.state()
    return dying || (shutdown !== undefined && shutdown !== 'suspend')
  } catch (error) {
    if (isXrError(error) && error.code === 'BACKEND_NO_SUCH_DOMAIN') return true
    throw error
  }
}
