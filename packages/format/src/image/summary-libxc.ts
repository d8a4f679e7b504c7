import type { Soon } from '../bytes/soon.ts'
import { viewOf } from '../bytes/struct.ts'
import { hvmParamName } from '../libxc/hvm-param-names.ts'
import { XC } from '../libxc/record-types.ts'
import type { RecordItem } from './item.ts'
import { MemoryTally, type MemorySummary } from './summary-memory.ts'
import { summariseHvmContext, summarisePvVcpu, type HvmContextSummary, type VcpuSummary } from './summary-vcpu.ts'

/** One parameter of an HVM guest. */
export interface HvmParamSummary {
  readonly index: bigint
  /** Undefined when Xen has no such parameter. */
  readonly name: string | undefined
  readonly value: bigint
}

/** How the guest's time stamp counter goes on. */
export interface TscSummary {
  readonly mode: number
  readonly khz: number
  readonly nsec: bigint
  readonly incarnation: number
}

/** A libxc image. */
export interface LibxcSummary {
  readonly version: number
  readonly endianness: 'little' | 'big'
  readonly guest: 'pv' | 'hvm' | 'unknown'
  /** Undefined when an image was converted from a legacy one, or its domain header is missing. */
  readonly xen: { readonly major: number; readonly minor: number } | undefined
  /** Version of the converter that made it of a legacy image. */
  readonly converter: number | undefined
  /** Bits of a PV guest's machine word. */
  readonly width: number | undefined
  readonly pageTableLevels: number | undefined
  /** Highest pfn of a PV guest. */
  readonly maxPfn: number | undefined
  readonly memory: MemorySummary
  readonly vcpus: readonly VcpuSummary[]
  readonly hvmContext: Omit<HvmContextSummary, 'vcpus'> | undefined
  readonly hvmParams: readonly HvmParamSummary[]
  readonly tsc: TscSummary | undefined
  readonly cpuidLeaves: number
  readonly msrs: number
}

/** Bodies longer than this are not looked into; the longest honest ones are contexts of some 10 KiB a vCPU. */
const LOOK_MAX = 16 * 1024 * 1024
const CPUID_ROW = 24
const MSR_ROW = 16

/** Gathers what a libxc image holds; with checkpoints, what was sent last counts. */
export class LibxcTally {
  readonly #memory = new MemoryTally()
  readonly #vcpus = new Map<number, VcpuSummary>()
  readonly #params = new Map<bigint, bigint>()
  #about: Omit<LibxcSummary, 'memory' | 'vcpus' | 'hvmParams'> | undefined

  imageHeader(view: DataView): void {
    this.#about = {
      version: view.getUint32(12),
      endianness: (view.getUint16(16) & 1) === 0 ? 'little' : 'big',
      guest: 'unknown',
      xen: undefined,
      converter: undefined,
      width: undefined,
      pageTableLevels: undefined,
      maxPfn: undefined,
      hvmContext: undefined,
      tsc: undefined,
      cpuidLeaves: 0,
      msrs: 0,
    }
  }

  domainHeader(view: DataView): void {
    const major = view.getUint32(8, true)
    const minor = view.getUint32(12, true)
    const guest = (['unknown', 'pv', 'hvm'] as const)[view.getUint32(0, true)] ?? 'unknown'
    this.#learn(major === 0 ? { guest, converter: minor } : { guest, xen: { major, minor } })
  }

  record(item: RecordItem): Soon<void> {
    if (item.pages !== undefined) return this.#memory.add(item.pages)
    const look = looks[item.type]
    return look === undefined || item.length > LOOK_MAX ? undefined : this.#look(item, look)
  }

  async #look(item: RecordItem, look: Look): Promise<void> {
    const body = await (look.bytes === undefined ? item.body.all() : item.body.peek(look.bytes))
    if (body.length >= look.atLeast) this.#body(item, body)
  }

  finish(): LibxcSummary | undefined {
    if (this.#about === undefined) return undefined
    const vcpus = [...this.#vcpus.values()].sort((a, b) => a.id - b.id)
    const hvmParams = [...this.#params].map(([index, value]) => ({ index, name: hvmParamName(index), value }))
    return { ...this.#about, memory: this.#memory.finish(), vcpus, hvmParams }
  }

  #learn(news: Partial<LibxcSummary>): void {
    if (this.#about !== undefined) this.#about = { ...this.#about, ...news }
  }

  #body({ type, length }: RecordItem, body: Uint8Array): void {
    const view = viewOf(body)
    switch (type) {
      case XC.X86_PV_INFO:
        return this.#learn({ width: 8 * view.getUint8(0), pageTableLevels: view.getUint8(1) })
      case XC.X86_PV_P2M_FRAMES:
        return this.#learn({ maxPfn: view.getUint32(4, true) })
      case XC.X86_CPUID_POLICY:
        return this.#learn({ cpuidLeaves: Math.floor(length / CPUID_ROW) })
      case XC.X86_MSR_POLICY:
        return this.#learn({ msrs: Math.floor(length / MSR_ROW) })
      case XC.X86_TSC_INFO:
        return this.#learn({ tsc: tscInfo(view) })
      case XC.HVM_PARAMS:
        return this.#hvmParams(view)
      case XC.HVM_CONTEXT:
        return this.#hvmContext(body)
      case XC.X86_PV_VCPU_BASIC: {
        const vcpu = summarisePvVcpu(body)
        if (vcpu !== undefined) this.#vcpus.set(vcpu.id, vcpu)
      }
    }
  }

  #hvmContext(body: Uint8Array): void {
    const { vcpus, ...hvmContext } = summariseHvmContext(body)
    for (const vcpu of vcpus) this.#vcpus.set(vcpu.id, vcpu)
    this.#learn({ hvmContext })
  }

  #hvmParams(view: DataView): void {
    const count = Math.min(view.getUint32(0, true), Math.floor((view.byteLength - 8) / MSR_ROW))
    for (let i = 0; i < count; i++) {
      this.#params.set(view.getBigUint64(8 + MSR_ROW * i, true), view.getBigUint64(16 + MSR_ROW * i, true))
    }
  }
}

interface Look {
  /** Bytes of the body that matter; all of them when undefined. */
  readonly bytes: number | undefined
  /** Fewer tell nothing. */
  readonly atLeast: number
}

const looks: Readonly<Record<number, Look>> = {
  [XC.X86_PV_INFO]: { bytes: 8, atLeast: 2 },
  [XC.X86_PV_P2M_FRAMES]: { bytes: 8, atLeast: 8 },
  [XC.X86_CPUID_POLICY]: { bytes: 8, atLeast: 1 },
  [XC.X86_MSR_POLICY]: { bytes: 8, atLeast: 1 },
  [XC.X86_TSC_INFO]: { bytes: 24, atLeast: 20 },
  [XC.HVM_PARAMS]: { bytes: undefined, atLeast: 8 },
  [XC.HVM_CONTEXT]: { bytes: undefined, atLeast: 1 },
  [XC.X86_PV_VCPU_BASIC]: { bytes: undefined, atLeast: 8 },
}

function tscInfo(view: DataView): TscSummary {
  return { mode: view.getUint32(0, true), khz: view.getUint32(4, true), nsec: view.getBigUint64(8, true), incarnation: view.getUint32(16, true) }
}
