import { BackendError, type CpuPolicy, type CpuStateWriter, type DeviceModelWriter, type GuestFacts, type GuestForRestore, type Lifecycle, type RingPorts } from '@xen-replication/hypervisor'
import type { Platform } from './platform/platform.ts'
import { XenCpuWriter } from './ports/cpu-writer.ts'
import { domainInfo, factsOf } from './ports/domain-info.ts'
import { XenBuilder } from './ports/guest-builder.ts'
import { XenPvBuilder } from './pv/pv-builder.ts'
import { seedGrants } from './restore/seed-grants.ts'

/** Frames of the two rings. */
export interface Rings {
  readonly store: number
  readonly console: number
}

/** Who made the domain, and finishes or ends it. */
export interface RestoreOwner {
  readonly rings: RingPorts
  readonly lifecycle: Lifecycle
  readonly deviceModel: DeviceModelWriter | undefined
  /** A CPU policy was set. */
  tookPolicy(policy: CpuPolicy): void
  /** State of CPUs is about to be set: they have to have their policy. */
  beforeCpuState(): Promise<void>
  /** Memory and CPUs are in place. */
  complete(frames: Rings): Promise<void>
  /** Nothing more comes. @param how whether `complete()` was done. */
  close(how: 'complete' | 'abandoned'): Promise<void>
}

/** A domain of a real Xen that is being filled. */
export class XenGuestForRestore implements GuestForRestore {
  readonly facts: GuestFacts
  readonly memory: XenBuilder
  readonly cpu: CpuStateWriter
  readonly lifecycle: Lifecycle
  readonly rings: RingPorts
  readonly pv: XenPvBuilder | undefined
  readonly deviceModel: DeviceModelWriter | undefined
  readonly #platform: Platform
  readonly #owner: RestoreOwner
  #state: 'open' | 'complete' | 'closed' = 'open'

  /** @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_DENIED, BACKEND_MAP */
  constructor(platform: Platform, domId: number, owner: RestoreOwner) {
    const check = (): void => this.#check()
    this.#platform = platform
    this.#owner = owner
    this.facts = factsOf(platform, domId, domainInfo(platform, domId))
    const { kind } = this.facts
    this.pv = kind === 'pv' ? new XenPvBuilder(platform, domId, check) : undefined
    this.memory = new XenBuilder(platform, domId, check)
    this.cpu = withOwner(new XenCpuWriter(platform, this.facts, check), owner)
    this.lifecycle = owner.lifecycle
    this.rings = owner.rings
    this.deviceModel = kind === 'hvm' ? owner.deviceModel : undefined
  }

  async complete(frames: Rings): Promise<void> {
    this.#check()
    if (this.#state === 'complete') return
    seedGrants(this.#platform, this.facts.domId, this.rings, frames)
    await this.#owner.complete(frames)
    this.#state = 'complete'
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const how = this.#state === 'complete' ? 'complete' : 'abandoned'
    this.#state = 'closed'
    this.memory.close()
    this.pv?.close()
    await this.#owner.close(how)
  }

  #check(): void {
    if (this.#state === 'closed') throw new BackendError('BACKEND_STATE', `domain ${this.facts.domId} was closed`)
    domainInfo(this.#platform, this.facts.domId) // somebody else may have destroyed it
  }
}

/** Tells the owner of what comes with regard to CPUs. */
function withOwner(cpu: CpuStateWriter, owner: RestoreOwner): CpuStateWriter {
  return {
    setTsc: (tsc) => cpu.setTsc(tsc),
    setHvmParam: (index, value) => cpu.setHvmParam(index, value),
    setPolicy: async (policy) => {
      await cpu.setPolicy(policy)
      owner.tookPolicy(policy)
    },
    setHvmContext: async (context) => {
      await owner.beforeCpuState()
      await cpu.setHvmContext(context)
    },
    setPvVcpu: async (id, part, bytes) => {
      await owner.beforeCpuState()
      await cpu.setPvVcpu(id, part, bytes)
    },
  }
}
