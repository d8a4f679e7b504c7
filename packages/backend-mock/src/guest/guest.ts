import { BackendError, type MappedFrames, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'
import type { Disk } from '../device/disk.ts'
import type { Nic } from '../device/nic.ts'
import { HvmSpace } from '../memory/hvm-space.ts'
import type { Machine } from '../memory/machine.ts'
import { PvSpace } from '../memory/pv-space.ts'
import { Loan, Ram } from '../memory/ram.ts'
import { layoutOf } from '../pv/layout.ts'
import { PageTypes, RefusedTable, USE } from '../pv/page-types.ts'
import { ForeignKernel } from '../pv/foreign.ts'
import { PvKernel } from '../pv/kernel.ts'
import { PvContext } from '../pv/vcpu.ts'
import { XEN_L4_SLOTS, XEN_PAE_L2_SLOTS } from '../pv/pte.ts'
import type { StoredMemory } from '../store/host-store.ts'
import { GuestCrash } from './crash.ts'
import { StatePage } from './state-page.ts'
import type { GuestRecord, ModelRecord } from './record.ts'
import type { Timeline } from './timeline.ts'

/** State of the CPUs, which changes. */
export interface CpuBox {
  tsc: TscInfo
  cpuid: Uint8Array
  msr: Uint8Array
  readonly params: Map<number, bigint>
  context: Uint8Array
  readonly vcpus: (PvVcpu | undefined)[]
}

/** What only a PV guest has. */
export interface PvParts {
  space: PvSpace
  types: PageTypes
  width: 4 | 8
  readonly sharedInfo: { readonly page: Uint8Array; readonly frame: number }
}

/** Xen's slots of a 32-bit guest's L2 table that show it the M2P, 2 MiB each. */
const COMPAT_M2P_SLOTS = 32

/** A guest in this process: its memory, its CPUs, and how far it has got. */
export class Guest {
  readonly domId: number
  readonly ram: Ram
  readonly space: PvSpace | HvmSpace
  readonly pv: PvParts | undefined
  readonly cpu: CpuBox
  readonly machine: Machine
  readonly nics: readonly Nic[]
  readonly disks: readonly Disk[]
  model: ModelRecord | undefined
  /** Whether the emulator reports what it writes. */
  modelLogsDirty = false
  /** Time of its own running up to which memory is as it should be, in microseconds. */
  doneUs: number
  /** Where it stands after the events that were taken in. */
  timeline: Timeline
  /** Events since the record that were taken in. */
  taken = 0
  record: GuestRecord
  /** Why it crashed, in its own words. */
  crash: string | undefined

  constructor(record: GuestRecord, host: { readonly machine: Machine; readonly memory: StoredMemory; readonly lasting: boolean; readonly nics: readonly Nic[]; readonly disks: readonly Disk[] }) {
    const { kind, domId, width, cpu } = record
    this.record = record
    this.domId = domId
    this.machine = host.machine
    this.nics = host.nics
    this.disks = host.disks
    this.ram = new Ram(host.lasting ? host.memory : undefined, record.maxPages)
    this.cpu = { tsc: cpu.tsc, cpuid: cpu.cpuid, msr: cpu.msr, params: new Map(cpu.params), context: cpu.context.slice(), vcpus: cpu.vcpus.map(copyVcpu) }
    this.model = record.model
    this.timeline = record.timeline
    this.doneUs = record.doneUs
    if (kind === 'pv') {
      const space = new PvSpace(host.machine, domId, host.memory.p2m)
      this.space = space
      const sharedInfo = { page: record.sharedInfo.slice(), frame: host.machine.sharedInfoFrame(domId) }
      this.pv = { space, width, sharedInfo, types: this.#newTypes(space, width) }
    } else this.space = new HvmSpace(record.extents.length, record.populated)
  }

  /** Counts the types of all pages anew, from the tables that are pinned and those the vCPUs use. */
  countTypes(): void {
    if (this.pv === undefined) return
    for (const [pfn, level] of this.record.pinned) this.pv.types.pin(pfn, level)
    for (let id = 0; id < this.cpu.vcpus.length; id += 1) this.useTables(this.context(id))
  }

  /** Counts the tables and descriptor pages that a vCPU uses. @throws RefusedTable and counts none of them then */
  useTables(context: PvContext | undefined): void {
    const { types } = this.pv as PvParts
    const uses = this.#uses(context)
    uses.forEach(([pfn, use], n) => {
      try {
        if (pfn < 0) throw new RefusedTable('it names a frame that is not the guest\'s')
        types.get(pfn, use)
      } catch (cause) {
        for (const [before] of uses.slice(0, n)) types.put(before)
        throw cause
      }
    })
  }

  /** And undoes it. */
  releaseTables(context: PvContext | undefined): void {
    for (const [pfn] of this.#uses(context)) this.pv?.types.put(pfn)
  }

  #uses(context: PvContext | undefined): (readonly [pfn: number, use: number])[] {
    if (context === undefined) return []
    const { space, width } = this.pv as PvParts
    const { kernel, user } = context.topTables
    const { levels } = layoutOf(width)
    const tables = user === 0 ? [kernel] : [kernel, user]
    return [
      ...(context.gdtFrames ?? []).map((frame) => [space.locate(frame), USE.SEGMENTS] as const),
      ...tables.map((frame) => [space.locate(frame), levels] as const),
    ]
  }

  /** Context of a vCPU, to be read and changed; undefined when there is none. */
  context(id: number): PvContext | undefined {
    const bytes = this.cpu.vcpus[id]?.context
    return bytes === undefined || bytes.length === 0 ? undefined : new PvContext(bytes, (this.pv as PvParts).width)
  }

  /** The kernel of a simulated PV guest; undefined for any other guest. */
  kernel(): PvKernel | undefined {
    const state = new StatePage(this.ram)
    if (this.pv === undefined || !state.present) return undefined
    const context = this.context(0)
    if (context === undefined) throw new GuestCrash('there is no vCPU 0')
    return new PvKernel({ ...this.pv, ram: this.ram, state, context })
  }

  /** What stands in for the kernel of a PV guest that was saved elsewhere. */
  foreignKernel(): ForeignKernel | undefined {
    const context = this.pv === undefined || new StatePage(this.ram).present ? undefined : this.context(0)
    return context === undefined ? undefined : new ForeignKernel({ ...(this.pv as PvParts), ram: this.ram }, context)
  }

  /** A PV guest that has no memory yet becomes one of another width. */
  setWidth(width: 4 | 8): void {
    const pv = this.pv as PvParts
    pv.width = width
    pv.types = this.#newTypes(pv.space, width)
    pv.sharedInfo.page.fill(0)
  }

  /** Type of a frame as Xen reports it. */
  type(frame: number): number {
    const pfn = this.space.locate(frame)
    if (pfn < 0) return 15
    return this.pv === undefined ? 0 : this.pv.types.nibble(pfn)
  }

  /** @throws BackendError BACKEND_MAP */
  map(frames: ArrayLike<number>, intent: 'read' | 'write', closed: () => void): MappedFrames {
    const pfns = new Float64Array(frames.length)
    const lent = this.pv?.sharedInfo
    for (let i = 0; i < frames.length; i += 1) {
      const frame = frames[i] as number
      const pfn = this.space.locate(frame)
      if (pfn < 0 && frame !== lent?.frame) throw new BackendError('BACKEND_MAP', `frame 0x${frame.toString(16)} of domain ${this.domId} cannot be mapped: it is not the guest's`)
      pfns[i] = pfn
      if (intent === 'write' && pfn >= 0) this.ram.touchUnseen(pfn)
    }
    return new Mapping(pfns, this.ram, lent?.page, closed)
  }

  /** Gives back everything there is of it on this host. */
  vanish(): void {
    this.machine.release(this.domId)
  }

  #newTypes(space: PvSpace, width: 4 | 8): PageTypes {
    const { ram, machine } = this
    const { levels } = layoutOf(width)
    return new PageTypes({
      levels,
      words: (pfn) => ram.words(pfn),
      locate: (mfn) => space.locate(mfn),
      mfn: (pfn) => space.mfn(pfn),
      lent: machine.sharedInfoFrame(this.domId),
      slotFrame: (slot) => (levels === 4 ? topSlot(machine, slot) : compatSlot(machine, slot)),
      touched: (pfn, by) => {
        if (by === 'type') ram.dirty.mark(pfn)
        else if (by === 'guest') ram.touch(pfn)
        else ram.touchUnseen(pfn)
      },
    })
  }
}

/** Frames that Xen puts into a 64-bit top table: some of the sixteen slots are in use. */
function topSlot(machine: Machine, slot: number): number {
  return slot - XEN_L4_SLOTS.first < 8 ? machine.slotFrame(slot) : 0
}

function compatSlot(machine: Machine, slot: number): number {
  const n = slot - XEN_PAE_L2_SLOTS.first
  return n < COMPAT_M2P_SLOTS ? machine.compatFirstMfn + n * 512 : 0
}

const copyVcpu = (vcpu: PvVcpu | undefined): PvVcpu | undefined => (vcpu === undefined ? undefined : { ...vcpu, context: vcpu.context.slice() })

/** Frames that somebody looks at. Its views are the memory itself. */
class Mapping implements MappedFrames {
  readonly count: number
  readonly #pfns: Float64Array
  readonly #ram: Ram
  readonly #lent: Uint8Array | undefined
  readonly #closed: () => void
  readonly #loan = new Loan()
  #views: readonly Uint8Array[] | undefined
  #open = true

  constructor(pfns: Float64Array, ram: Ram, lent: Uint8Array | undefined, closed: () => void) {
    this.#pfns = pfns
    this.#ram = ram
    this.#lent = lent
    this.#closed = closed
    this.count = pfns.length
  }

  get views(): readonly Uint8Array[] {
    this.#check()
    this.#views ??= this.#lent !== undefined && this.#pfns.includes(-1) ? Array.from(this.#pfns, (_, i) => this.page(i)) : this.#ram.views(this.#pfns, this.#loan)
    return this.#views
  }

  page(i: number): Uint8Array {
    this.#check()
    const pfn = this.#pfns[i]
    if (pfn === undefined) throw new BackendError('BACKEND_MAP', `frame ${i} is none of the ${this.count} that are mapped`)
    return pfn < 0 ? (this.#lent as Uint8Array) : this.#ram.view(pfn, this.#loan)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#ram.giveBack(this.#loan)
    this.#closed()
  }

  #check(): void {
    if (!this.#open) throw new BackendError('BACKEND_STATE', 'frames were looked at after they had been unmapped')
  }
}

