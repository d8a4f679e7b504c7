import type { Capability } from './capability.ts'
import type { DomId, DomainSummary, GuestFacts, GuestKind } from './guest.ts'
import type { CheckpointDevice } from './ports/checkpoint-device.ts'
import type { Clock } from './ports/clock.ts'
import type { PacketTap } from './ports/comparator.ts'
import type { CpuState, CpuStateWriter } from './ports/cpu-state.ts'
import type { DeviceModel, DeviceModelWriter } from './ports/device-model.ts'
import type { DirtyLog } from './ports/dirty-log.ts'
import type { Lifecycle } from './ports/lifecycle.ts'
import type { GuestBuilder, GuestMemory } from './ports/memory.ts'
import type { PvBuilder, PvView, RingPorts } from './ports/pv.ts'
import type { ReplicaDevice } from './ports/replica-device.ts'
import type { ShadowPorts } from './ports/shadow.ts'

/** A guest to be read. Ports that its kind does not have are undefined; see `kind`. */
export interface GuestForSave {
  readonly facts: GuestFacts
  readonly memory: GuestMemory
  readonly dirty: DirtyLog
  readonly lifecycle: Lifecycle
  readonly cpu: CpuState
  /** PV guests. */
  readonly pv: PvView | undefined
  /** HVM guests; PVH has no emulator. */
  readonly deviceModel: DeviceModel | undefined
  readonly devices: readonly CheckpointDevice[]
  /** Gives everything back: mappings, log-dirty mode, event channels. May be called twice. */
  close(): Promise<void>
}

/** A guest that exists, is paused, and waits to be filled. */
export interface GuestForRestore {
  readonly facts: GuestFacts
  readonly memory: GuestBuilder
  readonly cpu: CpuStateWriter
  readonly lifecycle: Lifecycle
  readonly rings: RingPorts
  readonly pv: PvBuilder | undefined
  readonly deviceModel: DeviceModelWriter | undefined
  /** Disks whose other half is at the host that the guest comes from; none where they are left out. */
  readonly replicas?: readonly ReplicaDevice[] | undefined
  /**
   * Everything is in place; the guest stays paused.
   *
   * @param frames of the xenstore and console rings: mfns for PV, gfns for HVM.
   */
  complete(frames: { readonly store: number; readonly console: number }): Promise<void>
  /** Gives everything back, the guest included unless `complete()` was called. May be called twice. */
  close(): Promise<void>
}

/** What a new guest is to be. */
export interface RestoreRequest {
  readonly kind: GuestKind
  readonly name: string
  /** Configuration of the guest as it stands in an `xl` file: libxl JSON. */
  readonly config: string
}

/** What a guest made out of nothing is to be. What is left out the host decides. */
export interface CreateRequest {
  readonly name: string
  readonly kind: GuestKind
  /** Bytes of a guest word, PV only: 4 or 8. */
  readonly width?: 4 | 8 | undefined
  readonly memoryBytes?: number | undefined
  readonly vcpus?: number | undefined
  /** What only this host knows, by name, as the user gave it: `{ workload: 'counter' }`. Names it does not know are refused. */
  readonly settings: Readonly<Record<string, string>>
}

/** A host that runs guests. */
export interface HypervisorBackend {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  readonly clock: Clock
  list(): Promise<readonly DomainSummary[]>
  /** Configuration of a running guest, as libxl JSON. */
  config(domId: DomId): Promise<string>
  rename(domId: DomId, name: string): Promise<void>
  /**
   * Makes a guest that runs, where the host has the capability `create`.
   *
   * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_NAME_TAKEN, BACKEND_MEMORY
   */
  create(request: CreateRequest): Promise<DomId>
  /** @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_UNSUPPORTED */
  openForSave(domId: DomId): Promise<GuestForSave>
  /** Creates a paused domain. @throws BackendError BACKEND_NAME_TAKEN, BACKEND_MEMORY */
  openForRestore(request: RestoreRequest): Promise<GuestForRestore>
  /**
   * Has a restored guest, complete and standing, ready to run and to be filled again, where the host has the capability `lock-step`. What fills it stays open.
   *
   * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_STATE
   */
  openShadow(domId: DomId): Promise<ShadowPorts>
  /**
   * The network cards of a guest, in an order that is the same on every host, where the host has the capability `packet-taps`.
   *
   * @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_UNSUPPORTED
   */
  openTaps(domId: DomId): Promise<readonly PacketTap[]>
  /** Stops and starts a guest that nobody saves. */
  lifecycle(domId: DomId): Lifecycle
  close(): Promise<void>
}
