import { ByteReader, type ByteSource } from '@xen-replication/format'
import { BackendError, type AbortSignalLike, type DomId, type GuestForRestore, type HypervisorBackend, type Lifecycle, type ReplicaDevice } from '@xen-replication/hypervisor'
import { openStreamRestorer, type StreamRestorer, type StreamStop } from '@xen-replication/libxl-stream'
import { tellRestore } from '../observe/engine-events.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import type { Operation } from '../operations/operation.ts'
import { readXlStart, type XlStart } from '../xl/xl-start.ts'

const INCOMING = '--incoming'

/** What is known of a shadow. */
export interface ShadowFacts extends XlStart {
  readonly domId: DomId
}

/** What a copy has to know of the pair that it belongs to. */
export interface ReplicaPair {
  readonly session: string
  /** Disks beside those of the backend. */
  replicas(facts: ShadowFacts): readonly ReplicaDevice[]
}

export interface ShadowOptions {
  readonly emit: Operation['emit']
  /** What it is to be called, instead of what the stream says. */
  readonly name?: string | undefined
  /** Default `remus`; `colo` where it runs along. */
  readonly streamType?: 'remus' | 'colo' | undefined
  /** Where it runs along, disks of the backend are its own. */
  readonly pair?: ReplicaPair | undefined
}

/** A copy of a guest that follows it from checkpoint to checkpoint and stands still. */
export class ShadowGuest {
  readonly #backend: HypervisorBackend
  readonly #reader: ByteReader
  readonly #emit: Operation['emit']
  readonly #pair: ReplicaPair | undefined
  /** Disks that go with its memory, set up. */
  #replicas: readonly ReplicaDevice[] = []
  readonly #name: string | undefined
  readonly #streamType: 'remus' | 'colo'
  #guest: GuestForRestore | undefined
  #restorer: StreamRestorer | undefined
  #facts: ShadowFacts | undefined
  #held = false
  #completed = false
  #fate: GuestFate = 'gone'

  constructor(backend: HypervisorBackend, source: ByteSource, { emit, name, streamType = 'remus', pair }: ShadowOptions) {
    this.#backend = backend
    this.#reader = new ByteReader(source)
    this.#emit = emit
    this.#name = name
    this.#streamType = streamType
    this.#pair = pair
  }

  /** Undefined until the stream has said it. */
  get facts(): ShadowFacts | undefined {
    return this.#facts
  }

  get fate(): GuestFate {
    return this.#fate
  }

  /** Bytes of the stream that were read. */
  get bytes(): number {
    return this.#reader.offset
  }

  /** Reads up to the next whole checkpoint, which is held then. @throws RestoreError, BackendError, ToolstackError, FormatError */
  async read(): Promise<StreamStop> {
    const restorer = (this.#restorer ??= await this.#open())
    const stop = await restorer.read()
    this.#held = stop.why === 'checkpoint'
    return stop
  }

  /** Waits until all that its disks took in the epoch is here, too. @throws the reason of `signal`; errors of the disks */
  async received(epoch: number, signal: AbortSignalLike): Promise<void> {
    await Promise.all(this.#replicas.map((one) => one.received(epoch, signal)))
  }

  /** Makes the epoch what its disks go back to. */
  async store(epoch: number): Promise<void> {
    await Promise.all(this.#replicas.map((one) => one.store(epoch)))
  }

  /** Makes the checkpoint that is held part of the copy. */
  async apply(): Promise<void> {
    if (!this.#held) return
    this.#held = false
    await this.#restorer?.apply()
  }

  /** Forgets the checkpoint that is held. */
  drop(): void {
    if (this.#held) this.#restorer?.drop()
    this.#held = false
  }

  /** Makes a guest of the copy and of its disks as they were at the end of the epoch, which stands still and has its name, if the host will have it so. @throws RestoreError, BackendError */
  async complete(epoch: number, token: bigint): Promise<void> {
    if (this.#completed) return
    await this.apply()
    await this.promote(epoch, token)
    await this.#restorer?.complete()
    const { domId, name } = this.#facts as ShadowFacts
    await this.#backend.rename(domId, name).catch((error: unknown) => this.#emit('save.trouble', { what: 'rename', error })) // it may run under any name
    this.wasCompleted()
  }

  /** Lets it run. @throws BackendError */
  async run(): Promise<void> {
    await this.#guest?.lifecycle.unpause()
    this.wentOn()
  }

  /** Nothing happens to a copy that stands anyway. */
  stand(): Promise<void> {
    return Promise.resolve()
  }

  /** Makes its disks those of this host. */
  protected async promote(epoch: number, token: bigint): Promise<void> {
    await Promise.all(this.#replicas.map((one) => one.promote(epoch, token)))
  }

  /** A checkpoint was read and is not part of it yet. */
  protected get held(): boolean {
    return this.#held
  }

  /** What there is once the stream has said what guest it is of. */
  protected get opened(): { readonly restorer: StreamRestorer; readonly guest: GuestForRestore } {
    return { restorer: this.#restorer as StreamRestorer, guest: this.#guest as GuestForRestore }
  }

  protected get lifecycle(): Lifecycle {
    return this.opened.guest.lifecycle
  }

  protected wentOn(): void {
    this.#fate = 'runs'
  }

  protected wasCompleted(): void {
    this.#completed = true
    this.#fate = 'paused'
  }

  /** Destroys what there is of it. @throws BackendError: something is left then, which does not run */
  async destroy(): Promise<void> {
    this.#held = false
    if (this.#guest === undefined) return
    await this.#letGo()
    await this.#restorer?.close()
    await this.#guest.close()
    const { domId } = this.#facts as ShadowFacts
    if ((await this.#backend.list()).some((one) => one.domId === domId)) await this.#backend.lifecycle(domId).destroy()
    this.#fate = 'gone'
  }

  /** Gives back what was taken of the host; a copy that was not completed goes with it. Never throws. */
  async close(): Promise<void> {
    await this.#letGo()
    await this.#restorer?.close().catch(() => undefined)
    await this.#guest?.close().catch(() => undefined)
  }

  /** Never throws: what is left of a copy of a disk keeps nobody from going on. */
  async #letGo(): Promise<void> {
    for (const one of this.#replicas) await one.teardown().catch((error: unknown) => this.#emit('save.trouble', { what: one.name, error }))
    this.#replicas = []
  }

  async #open(): Promise<StreamRestorer> {
    const start = await readXlStart(this.#reader)
    const { kind } = start
    this.#emit('guest.announced', { guest: start.name, kind, memoryBytes: undefined })
    const name = this.#name ?? start.name
    if ((await this.#backend.list()).some((one) => one.name === name)) {
      throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${name} already`, { hint: 'rename or destroy that one first, or give this one another name: --name NAME' })
    }
    const guest = (this.#guest = await this.#backend.openForRestore({ ...start, name: name + INCOMING }))
    this.#facts = { ...start, name, domId: guest.facts.domId }
    this.#fate = 'paused'
    if (this.#pair !== undefined) await this.#setUpReplicas(this.#pair, guest, this.#facts)
    return openStreamRestorer(this.#reader, guest, { streamType: this.#streamType, applies: 'when-told', observe: tellRestore(this.#emit) })
  }

  async #setUpReplicas(pair: ReplicaPair, guest: GuestForRestore, facts: ShadowFacts): Promise<void> {
    const own = this.#streamType === 'colo' ? [] : (guest.replicas ?? [])
    for (const one of [...own, ...pair.replicas(facts)]) {
      await one.setup(pair.session)
      this.#replicas = [...this.#replicas, one]
    }
  }
}
