import type { GuestKind, PvVcpu, TscInfo } from '@xen-replication/hypervisor'
import type { Run } from '../memory/pfn-set.ts'
import type { Timeline } from './timeline.ts'

/** How a guest answers when it is asked to suspend. */
export interface SuspendManner {
  /** `ignore` never answers; `crash` and `poweroff` end it instead. */
  readonly answer: 'suspend' | 'ignore' | 'crash' | 'poweroff'
  /** Milliseconds until it does; it runs on meanwhile. */
  readonly latencyMs: number
}

/** State of the CPUs as the hypervisor keeps it. */
interface CpuRecord {
  readonly tsc: TscInfo
  readonly cpuid: Uint8Array
  readonly msr: Uint8Array
  /** HVM and PVH: parameters by number. */
  readonly params: readonly (readonly [index: number, value: bigint])[]
  /** HVM and PVH: empty until there is one. */
  readonly context: Uint8Array
  /** PV: one for each vCPU. */
  readonly vcpus: readonly (PvVcpu | undefined)[]
}

/** State of an HVM guest's emulator. */
export interface ModelRecord {
  readonly state: Uint8Array
  readonly xenstore: readonly (readonly [key: string, value: string])[]
}

/** Everything about a guest but its memory. It is stored as it stands here. */
export interface GuestRecord {
  readonly domId: number
  readonly name: string
  readonly uuid: string
  readonly kind: GuestKind
  /** Bytes of a guest word; 8 for guests that are not PV. */
  readonly width: 4 | 8
  readonly vcpus: number
  readonly config: string
  /** A guest that is being built, or follows another one as its shadow, vanishes with the process that does so. */
  readonly phase: 'building' | 'shadow' | 'built'
  /** Counts how often the guest's memory was stored. */
  readonly generation: number
  readonly pages: number
  /** Most pages it may have. */
  readonly maxPages: number
  /** Extents of machine memory it holds. */
  readonly extents: readonly number[]
  /** HVM and PVH: which gfns have pages. */
  readonly populated: readonly Run[]
  readonly timeline: Timeline
  /** The time up to which the guest's memory shows its work, in microseconds of its own running. */
  readonly doneUs: number
  /** PV: tables the guest has pinned. */
  readonly pinned: readonly (readonly [pfn: number, level: number])[]
  readonly sharedInfo: Uint8Array
  readonly cpu: CpuRecord
  readonly model: ModelRecord | undefined
  readonly suspend: SuspendManner
  readonly nics: number
  readonly disks: number
}
