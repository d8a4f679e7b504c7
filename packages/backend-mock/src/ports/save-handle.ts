import {
  BackendError,
  FRAMES_PER_CALL,
  type CheckpointDevice,
  type CpuState,
  type DeviceModel,
  type DirtyLog,
  type DomId,
  type GuestFacts,
  type GuestForSave,
  type GuestMemory,
  type PvView,
} from '@xen-replication/hypervisor'
import { modelStateAt } from '../device/model-state.ts'
import type { Guest } from '../guest/guest.ts'
import { StatePage } from '../guest/state-page.ts'
import { runs } from '../guest/timeline.ts'
import type { HostCore } from '../host/host-core.ts'
import type { Leak } from '../host/leaks.ts'
import { XEN_PFN } from '../hvm/layout.ts'
import { paramFault } from '../hvm/params.ts'
import { MockLifecycle } from './lifecycle.ts'

/** A simulated guest that is read. */
export class SaveHandle implements GuestForSave {
  readonly facts: GuestFacts
  readonly memory: GuestMemory
  readonly dirty: DirtyLog
  readonly lifecycle: MockLifecycle
  readonly cpu: CpuState
  readonly pv: PvView | undefined
  readonly deviceModel: DeviceModel | undefined
  readonly devices: readonly CheckpointDevice[]
  readonly #core: HostCore
  readonly #guest: Guest
  readonly #mine: Leak['what'][] = []
  #open = true

  constructor(core: HostCore, guest: Guest) {
    const domId = guest.domId as DomId
    this.#core = core
    this.#guest = guest
    this.facts = core.facts(guest.record)
    this.lifecycle = new MockLifecycle(core, domId)
    this.memory = this.#memory()
    this.dirty = this.#dirty()
    this.cpu = this.#cpu()
    this.pv = guest.pv === undefined ? undefined : { machine: guest.machine, sharedInfoFrame: guest.pv.sharedInfo.frame }
    this.deviceModel = guest.record.kind === 'hvm' ? this.#model() : undefined
    this.devices = [...guest.nics, ...guest.disks]
    this.#take('handle')
  }

  async close(): Promise<void> {
    if (!this.#open) return
    await this.dirty.disable()
    if (this.#mine.includes('device-model-log-dirty')) await this.deviceModel?.logDirty('off') // not what another handle asked for
    this.#open = false
    for (const what of this.#mine.splice(0)) this.#core.ledger.giveBack(this.#guest.domId, what)
    await this.#core.detach(this.#guest.domId)
  }

  /** The guest as it is now. */
  async #now(): Promise<Guest> {
    if (!this.#open) throw new BackendError('BACKEND_STATE', `domain ${this.#guest.domId} was closed`)
    await this.#core.settle(this.#guest)
    return this.#guest
  }

  /** The guest, which must stand still: what is read of it fits together only then. */
  async #still(what: string): Promise<Guest> {
    const guest = await this.#now()
    if (runs(guest.timeline)) throw new BackendError('BACKEND_STATE', `${what} of domain ${guest.domId} is read while it runs`, { hint: 'suspend or pause it first' })
    return guest
  }

  #take(what: Leak['what']): void {
    this.#mine.push(what)
    this.#core.ledger.take(this.#guest.domId, what)
  }

  #giveBack(what: Leak['what']): void {
    const at = this.#mine.indexOf(what)
    if (at < 0) return
    this.#mine.splice(at, 1)
    this.#core.ledger.giveBack(this.#guest.domId, what)
  }

  #memory(): GuestMemory {
    return {
      frames: async () => (await this.#now()).space.top,
      types: async (frames) => {
        if (frames.length > FRAMES_PER_CALL) throw new BackendError('BACKEND_MEMORY', `types of ${frames.length} frames were asked for, ${FRAMES_PER_CALL} is the most`)
        const guest = await this.#now()
        const types = new Uint8Array(frames.length)
        for (let i = 0; i < frames.length; i += 1) types[i] = guest.type(frames[i] as number)
        return types
      },
      map: async (frames) => {
        const guest = await this.#now()
        const mapped = guest.map(frames, 'read', () => this.#giveBack('mapping'))
        this.#take('mapping')
        return mapped
      },
    }
  }

  #dirty(): DirtyLog {
    const log = async (): Promise<Guest> => {
      const guest = await this.#now()
      if (!guest.ram.dirty.on) throw new BackendError('BACKEND_LOG_DIRTY', `writes of domain ${guest.domId} are not tracked`)
      return guest
    }
    return {
      enable: async () => {
        const guest = await this.#now()
        if (guest.ram.dirty.on) throw new BackendError('BACKEND_LOG_DIRTY', `writes of domain ${guest.domId} are tracked already`)
        guest.ram.dirty.turn('on')
        this.#take('log-dirty')
      },
      take: async (pages, last) => {
        const { ram, space, pv } = await log()
        const xens = last === 'last' && pv === undefined && new StatePage(ram).present && space.locate(XEN_PFN) >= 0
        if (xens) ram.dirty.mark(XEN_PFN)
        return ram.dirty.take(pages)
      },
      peek: async (pages) => (await log()).ram.dirty.peek(pages),
      disable: () => {
        if (this.#mine.includes('log-dirty')) this.#guest.ram.dirty.turn('off')
        this.#giveBack('log-dirty')
        return Promise.resolve()
      },
    }
  }

  #cpu(): CpuState {
    const unsupported = (what: string): never => {
      throw new BackendError('BACKEND_UNSUPPORTED', `domain ${this.#guest.domId} is ${this.#guest.record.kind} and has no ${what}`)
    }
    return {
      tsc: async () => {
        const { cpu, doneUs } = await this.#now()
        return { ...cpu.tsc, nsec: cpu.tsc.nsec + BigInt(doneUs) * 1000n }
      },
      policy: async () => {
        const { cpu } = await this.#now()
        return { cpuid: cpu.cpuid, msr: cpu.msr }
      },
      hvmContext: async () => {
        const guest = await this.#still('the HVM context')
        return guest.pv === undefined ? guest.cpu.context.slice() : unsupported('HVM context')
      },
      hvmParam: async (index) => {
        const { cpu, pv } = await this.#now()
        if (pv !== undefined) return unsupported('HVM parameters')
        const fault = paramFault(index, 0n, undefined)
        if (fault !== undefined) throw new BackendError('BACKEND_CPU_STATE', fault)
        return cpu.params.get(index) ?? 0n
      },
      pvVcpu: async (id) => {
        const guest = await this.#still(`vCPU ${id}`)
        if (guest.pv === undefined) return unsupported('PV vCPU')
        if (!(id >= 0 && id <= this.facts.maxVcpuId)) throw new BackendError('BACKEND_CPU_STATE', `domain ${guest.domId} has no vCPU ${id}`)
        const vcpu = guest.cpu.vcpus[id]
        return vcpu !== undefined && guest.context(id)?.online === true ? { ...vcpu, context: vcpu.context.slice() } : undefined
      },
    }
  }

  #model(): DeviceModel {
    const lost = (): never => {
      throw new BackendError('BACKEND_DEVICE_MODEL', `the device model of domain ${this.#guest.domId} has no state`)
    }
    return {
      logDirty: (state) => {
        this.#guest.modelLogsDirty = state === 'on'
        if (state === 'off') this.#giveBack('device-model-log-dirty')
        else if (!this.#mine.includes('device-model-log-dirty')) this.#take('device-model-log-dirty')
        return Promise.resolve()
      },
      state: async () => {
        const { model, ram } = await this.#still('the device model')
        return model === undefined ? lost() : modelStateAt(model.state, new StatePage(ram).ops)
      },
      xenstore: async () => (await this.#now()).model?.xenstore ?? lost(),
    }
  }
}
