import { isXrError } from '@xen-replication/errors'
import { BackendError, type DomId, type GuestBuilder, type GuestFacts, type GuestForRestore, type DeviceModelWriter, type PvBuilder, type ReplicaDevice, type RingPorts } from '@xen-replication/hypervisor'
import { modelStateFault } from '../device/model-state.ts'
import { ReplicaDisk } from '../device/replica-disk.ts'
import type { Guest } from '../guest/guest.ts'
import type { HostCore } from '../host/host-core.ts'
import type { Leak } from '../host/leaks.ts'
import { PORTS } from '../host/ports.ts'
import { MAX_PFNS } from '../memory/frame-space.ts'
import { EXTENT_FRAMES } from '../memory/machine.ts'
import { RefusedTable } from '../pv/page-types.ts'
import { CpuWriter } from './cpu-writer.ts'
import { MockLifecycle } from './lifecycle.ts'

/** Extents that a guest takes at least when it needs more: 64 MiB, so that the host is not asked too often. */
const GRAIN = 32
/** Most tables in a call. Source: libxc MAX_PIN_BATCH. */
const MAX_PINS = 1024

/** A simulated guest that is being filled. */
export class RestoreHandle implements GuestForRestore {
  readonly memory: GuestBuilder
  readonly cpu: CpuWriter
  readonly lifecycle: MockLifecycle
  readonly rings: RingPorts = { store: { port: PORTS.store, domId: 0 }, console: { port: PORTS.console, domId: 0 } }
  readonly pv: PvBuilder | undefined
  readonly deviceModel: DeviceModelWriter | undefined
  readonly replicas: readonly ReplicaDevice[]
  readonly #core: HostCore
  readonly #guest: Guest
  readonly #mine: Leak['what'][] = []
  #complete = false
  #open = true

  constructor(core: HostCore, guest: Guest) {
    this.#core = core
    this.#guest = guest
    this.lifecycle = new MockLifecycle(core, guest.domId as DomId)
    this.cpu = new CpuWriter(guest, () => this.#check())
    this.memory = { populate: (pfns, order) => this.#populate(pfns, order), map: (frames) => this.#map(frames) }
    this.pv = guest.pv === undefined ? undefined : this.#pv()
    this.deviceModel = guest.record.kind === 'hvm' ? this.#model() : undefined
    const { diskJournal } = core.options
    this.replicas = diskJournal === undefined ? [] : guest.disks.map((disk) => new ReplicaDisk(disk, diskJournal))
    this.#take('handle')
  }

  get facts(): GuestFacts {
    return this.#core.facts({ ...this.#guest.record, width: this.#guest.pv?.width ?? 8 })
  }

  async complete(frames: { readonly store: number; readonly console: number }): Promise<void> {
    this.#check()
    if (this.#complete) return
    for (const [what, frame] of Object.entries(frames)) {
      const none = this.#guest.pv === undefined && frame === 0 // an HVM guest without parameters
      if (!none && this.#guest.space.locate(frame) < 0) throw new BackendError('BACKEND_STATE', `frame 0x${frame.toString(16)} of the ${what} ring is not the guest's`)
    }
    this.#guest.timeline = { ...this.#guest.timeline, at: this.#core.clock.now() }
    await this.#core.save(this.#guest)
    this.#complete = true
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    for (const what of this.#mine.splice(0)) this.#core.ledger.giveBack(this.#guest.domId, what)
    if (this.#complete) await this.#core.detach(this.#guest.domId)
    else await this.#core.destroy(this.#guest.domId)
  }

  #check(): void {
    if (!this.#open) throw new BackendError('BACKEND_STATE', `domain ${this.#guest.domId} was closed`)
    this.#core.stored(this.#guest.domId) // somebody else may have destroyed it
  }

  #take(what: Leak['what']): void {
    this.#mine.push(what)
    this.#core.ledger.take(this.#guest.domId, what)
  }

  async #populate(pfns: ArrayLike<number>, order: 0 | 9): Promise<Float64Array | undefined> {
    this.#check()
    const size = order === 9 ? EXTENT_FRAMES : 1
    const { space, record, domId } = this.#guest
    for (let i = 0; i < pfns.length; i += 1) {
      const pfn = pfns[i] as number
      if (!(pfn >= 0 && pfn + size <= MAX_PFNS) || pfn % size !== 0) throw new BackendError('BACKEND_MEMORY', `page 0x${pfn.toString(16)} is beyond what a simulated guest may have, or not aligned`)
      for (let n = 0; n < size; n += 1) if (space.frame(pfn + n) !== undefined) throw new BackendError('BACKEND_MEMORY', `page 0x${(pfn + n).toString(16)} has memory already`)
    }
    if (space.pages + pfns.length * size > record.maxPages) {
      if (order === 9) return undefined
      throw new BackendError('BACKEND_MEMORY', `domain ${domId} may have ${record.maxPages} pages, not more`, { hint: 'the configuration says how much memory the guest has' })
    }
    if (!(await this.#grow(pfns.length, order))) return undefined
    const frames = new Float64Array(pfns.length)
    for (let i = 0; i < pfns.length; i += 1) {
      const pfn = pfns[i] as number
      const frame = order === 9 ? space.populateRun(pfn) : space.populate(pfn)
      if (frame === undefined) return undefined
      frames[i] = frame
    }
    return frames
  }

  /** @returns whether there is room now; false only for runs. */
  async #grow(count: number, order: 0 | 9): Promise<boolean> {
    const { space, domId } = this.#guest
    const missing = space.extentsFor(count, order)
    if (missing === 0) return true
    try {
      await this.#core.change((change) => {
        const record = this.#core.stored(domId).record
        const grown = this.#core.claim(change, record, Math.max(missing, Math.min(GRAIN, this.#core.machine.free)))
        space.grant(grown.extents.slice(record.extents.length))
      })
    } catch (cause) {
      if (order === 9 && isXrError(cause) && cause.code === 'BACKEND_MEMORY') return false
      throw cause
    }
    return true
  }

  async #map(frames: ArrayLike<number>): ReturnType<GuestBuilder['map']> {
    this.#check()
    for (let i = 0; i < frames.length; i += 1) {
      const type = this.#guest.type(frames[i] as number)
      if (type !== 0 && type !== 15) throw new BackendError('BACKEND_MAP', `frame 0x${(frames[i] as number).toString(16)} is a page table in use, which cannot be mapped for writing`)
    }
    const mapped = this.#guest.map(frames, 'write', () => {
      const at = this.#mine.indexOf('mapping')
      if (at >= 0) this.#core.ledger.giveBack(this.#guest.domId, ...this.#mine.splice(at, 1) as ['mapping'])
    })
    this.#take('mapping')
    return Promise.resolve(mapped)
  }

  #pv(): PvBuilder {
    const guest = this.#guest
    return {
      machine: guest.machine,
      sharedInfoFrame: () => Promise.resolve(guest.machine.sharedInfoFrame(guest.domId)),
      width: () => Promise.resolve(guest.pv?.width ?? 8),
      setWidth: async (width) => {
        this.#check()
        if (width === guest.pv?.width) return
        if (width === 4 && this.#core.options.pv32 === 'no') throw new BackendError('BACKEND_UNSUPPORTED', 'this host does not run 32-bit PV guests')
        if (guest.space.pages > 0) throw new BackendError('BACKEND_STATE', `domain ${guest.domId} has memory already, so its width cannot change`)
        guest.setWidth(width)
        return Promise.resolve()
      },
      pin: async (tables) => {
        this.#check()
        if (tables.length > MAX_PINS) throw new BackendError('BACKEND_PAGE_TABLE', `${tables.length} tables are more than the ${MAX_PINS} of a call`)
        for (const table of tables) this.#pin(table)
        return Promise.resolve()
      },
    }
  }

  #pin({ level, mfn }: { readonly level: number; readonly mfn: number }): void {
    const { space, pv } = this.#guest
    const pfn = space.locate(mfn)
    const what = `L${level} table in frame 0x${mfn.toString(16)}`
    if (pfn < 0) throw new BackendError('BACKEND_PAGE_TABLE', `${what}: the frame is not the guest's`)
    try {
      pv?.types.pin(pfn, level)
    } catch (cause) {
      throw cause instanceof RefusedTable ? new BackendError('BACKEND_PAGE_TABLE', `${what}: ${cause.message}`, { cause }) : cause
    }
  }

  #model(): DeviceModelWriter {
    const guest = this.#guest
    return {
      setState: async (state) => {
        this.#check()
        const fault = modelStateFault(state)
        if (fault !== undefined) throw new BackendError('BACKEND_DEVICE_MODEL', fault)
        guest.model = { state: state.slice(), xenstore: guest.model?.xenstore ?? [] }
        return Promise.resolve()
      },
      setXenstore: async (pairs) => {
        this.#check()
        guest.model = { state: guest.model?.state ?? new Uint8Array(0), xenstore: pairs.map(([key, value]) => [key, value] as const) }
        return Promise.resolve()
      },
    }
  }
}

