import { BackendError, type CheckpointDevice, type GuestFacts, type GuestForSave } from '@xen-replication/hypervisor'
import { Guard, type StartGuard } from './guard/guard.ts'
import type { Platform } from './platform/platform.ts'
import { XenCpuState } from './ports/cpu-state.ts'
import { XenDeviceModel } from './ports/device-model.ts'
import { XenDirtyLog } from './ports/dirty-log.ts'
import { domainInfo, factsOf } from './ports/domain-info.ts'
import { XenLifecycle } from './ports/lifecycle.ts'
import { XenMemory } from './ports/memory.ts'
import { XenPvView } from './pv/pv-view.ts'

/** What opening a guest needs beside the hypervisor. */
export interface GuestParts {
  /** Folder in which device models may write. */
  readonly scratchDir: string
  readonly destroy: (domId: number) => Promise<void>
  /** Starts who undoes what outlives this process. */
  readonly startGuard: StartGuard
  /** Its effects on the outside that can be held back. Default none. */
  readonly devices?: (domId: number) => readonly CheckpointDevice[]
}

/** A guest of a real Xen that is read. */
export class XenGuestForSave implements GuestForSave {
  readonly facts: GuestFacts
  readonly memory: XenMemory
  readonly dirty: XenDirtyLog
  readonly lifecycle: XenLifecycle
  readonly cpu: XenCpuState
  readonly pv: XenPvView | undefined
  readonly deviceModel: XenDeviceModel | undefined
  readonly devices: readonly CheckpointDevice[]
  readonly #guard: Guard
  #open = true

  /** Touches neither the device model nor xenstore before they are needed. @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_STATE, BACKEND_DENIED, BACKEND_MAP */
  constructor(platform: Platform, domId: number, { scratchDir, destroy, startGuard, devices = () => [] }: GuestParts) {
    if (domId === 0) throw new BackendError('BACKEND_STATE', 'domain 0 is the control domain, which cannot be saved')
    const info = domainInfo(platform, domId)
    this.facts = factsOf(platform, domId, info)
    const { kind, width } = this.facts
    this.#guard = new Guard(domId, startGuard)
    this.pv = kind === 'pv' ? new XenPvView(platform, info, width ?? 8) : undefined
    this.memory = new XenMemory(platform, domId)
    this.dirty = new XenDirtyLog(platform, domId, kind, this.#guard)
    this.cpu = new XenCpuState(platform, this.facts)
    this.deviceModel = kind === 'hvm' ? new XenDeviceModel(platform, domId, scratchDir, this.#guard) : undefined
    this.lifecycle = new XenLifecycle(platform, domId, () => ({ model: this.deviceModel, destroy }))
    this.devices = devices(domId)
  }

  /** Whatever of it fails, the rest is given back all the same. */
  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.memory.close()
    this.pv?.close()
    this.lifecycle.close()
    const outcomes = await Promise.allSettled([this.dirty.disable(), this.deviceModel?.close()])
    this.#guard.close()
    const failed = outcomes.find((one) => one.status === 'rejected')
    if (failed !== undefined && !isGone(failed.reason)) throw failed.reason
  }
}

/** The guest was destroyed meanwhile, and with it all that there was to give back. */
const isGone = (error: unknown): boolean => error instanceof BackendError && (error.code === 'BACKEND_NO_SUCH_DOMAIN' || error.code === 'BACKEND_DEVICE_MODEL')
