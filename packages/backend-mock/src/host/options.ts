import type { Clock, DomId, GuestKind } from '@xen-replication/hypervisor'
import type { DiskJournal } from '../device/disk-journal.ts'
import type { Packet } from '../device/nic.ts'
import type { SuspendManner } from '../guest/record.ts'
import type { WorkloadName } from '../guest/workload.ts'

/** What a simulated host is like. */
export interface MockHostOptions {
  /** Time; the real one unless said otherwise. See `virtualClock()`. */
  readonly clock?: Clock
  /** Where all chance comes from: the same seed and the same calls give the same host. */
  readonly seed?: number
  /** Memory of the machine for all guests, in bytes; 64 GiB. It costs nothing until guests use it. */
  readonly memoryBytes?: number
  /** Version of the hypervisor it pretends to be. */
  readonly xen?: { readonly major: number; readonly minor: number }
  /** `no`: it cannot run 32-bit PV guests. */
  readonly pv32?: 'yes' | 'no'
  /** How long a suspend request waits for an answer, in milliseconds; 60,000 as in libxl. */
  readonly suspendTimeoutMs?: number
  /** Where the disks of this host and of another one meet; without it disks are of this host alone. */
  readonly diskJournal?: DiskJournal
  /** Is told of every packet that leaves the host. */
  readonly onPacket?: (domId: DomId, packet: Packet) => void
}

/** What a new guest is to be. */
export interface GuestSpec {
  readonly name: string
  readonly kind: GuestKind
  /** Bytes of a guest word, PV only; 8. */
  readonly width?: 4 | 8
  /** 64 MiB. */
  readonly memoryBytes?: number
  /** 1. */
  readonly vcpus?: number
  /** What it does; `counter`. */
  readonly workload?: WorkloadName
  /** Operations a second; each workload has its own. */
  readonly rate?: number
  /** Seed of what it does and holds; the host's and the guest's number make one. */
  readonly seed?: number
  /** How a PV guest lists its pages; `linear` as Linux does today. */
  readonly p2m?: 'tree' | 'linear'
  /** PV: pfns at the end that have no page. */
  readonly balloonedPages?: number
  /** Part of the free memory that holds something that does not compress, 0 to 1. */
  readonly fill?: number
  /** `paused`: it waits for `unpause()`. */
  readonly start?: 'running' | 'paused'
  readonly suspend?: Partial<SuspendManner>
  /** 1 each. */
  readonly nics?: number
  readonly disks?: number
  /** PV: operations between changes of its page tables; 500, 0 for never. */
  readonly tablesEvery?: number
  /** Packets from one that holds something of its moment, as no two guests have it alike, to the next; 0, for never. */
  readonly noiseEvery?: number
  /** HVM: keys below the device model's xenstore node. */
  readonly modelXenstore?: readonly (readonly [key: string, value: string])[]
  /** HVM: size of the device model's state in bytes; 24 KiB. */
  readonly modelBytes?: number
}
