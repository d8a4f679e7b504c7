import { BackendError, type CheckpointDevice, type ShadowPorts } from '@xen-replication/hypervisor'
import { Guard, type StartGuard } from './guard/guard.ts'
import type { Platform } from './platform/platform.ts'
import { XenDeviceModel } from './ports/device-model.ts'
import { XenDirtyLog } from './ports/dirty-log.ts'
import { domainInfo, kindOf, stateOf } from './ports/domain-info.ts'
import { XenMemory } from './ports/memory.ts'

export interface XenShadowParts {
  /** Folder in which device models may read and write. */
  readonly scratchDir: string
  readonly startGuard: StartGuard
  /** What the last checkpoint brought for the device model; undefined where it has none. */
  readonly modelState: () => Uint8Array | undefined
}

/**
 * A guest of a real Xen that follows another one. It has no network card: nobody here would keep its packets from leaving.
 */
export class XenShadow implements ShadowPorts {
  readonly dirty: XenDirtyLog
  readonly devices: readonly CheckpointDevice[] = []
  readonly #memory: XenMemory
  readonly #model: XenDeviceModel | undefined
  readonly #guard: Guard
  readonly #modelState: XenShadowParts['modelState']
  /** libxl has given a new device model its first state. */
  #loaded = true
  #open = true

  /** @throws BackendError BACKEND_UNSUPPORTED, BACKEND_STATE, BACKEND_LOG_DIRTY, BACKEND_DEVICE_MODEL */
  static async open(platform: Platform, domId: number, parts: XenShadowParts): Promise<XenShadow> {
    const info = domainInfo(platform, domId)
    const kind = kindOf(info)
    if (kind === 'pv') throw new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} is PV: what stands cannot be filled again`, { hint: 'only PVH and HVM guests can be kept in lock-step' })
    const { paused, shutdown } = stateOf(info)
    if (!paused && shutdown === undefined) throw new BackendError('BACKEND_STATE', `domain ${domId} runs`, { hint: 'a mistake of the program that restores' })
    const cards = await (await platform.xenstore()).list(`/libxl/${domId}/device/vif`)
    if (cards.length > 0) {
      throw new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} has a network card, and nothing here keeps its packets from leaving`, { hint: 'only guests without one can be kept in lock-step on Xen for now; protect it with `xr remus`' })
    }
    const shadow = new XenShadow(platform, domId, kind, parts)
    try {
      await shadow.#guard.hold('runs-along')
      await shadow.dirty.enable()
      await shadow.#model?.logDirty('on')
      return shadow
    } catch (error) {
      await shadow.close().catch(() => undefined) // the first error tells more
      throw error
    }
  }

  private constructor(platform: Platform, domId: number, kind: 'pvh' | 'hvm', { scratchDir, startGuard, modelState }: XenShadowParts) {
    this.#guard = new Guard(domId, startGuard)
    this.dirty = new XenDirtyLog(platform, domId, kind, this.#guard)
    this.#memory = new XenMemory(platform, domId)
    this.#model = kind === 'hvm' ? new XenDeviceModel(platform, domId, scratchDir, this.#guard) : undefined
    this.#modelState = modelState
  }

  frames(): Promise<number> {
    return this.#memory.frames()
  }

  /** Memory is that of the checkpoint: the device model follows. */
  async loadDeviceModel(): Promise<void> {
    const first = this.#loaded
    this.#loaded = false
    if (first || this.#model === undefined) return
    const state = this.#modelState()
    if (state === undefined) throw new BackendError('BACKEND_DEVICE_MODEL', 'a checkpoint came without the state of the device model')
    await this.#model.load(state)
  }

  /** Whoever closes it destroys the guest, or lets it stay: nothing here depends on that. */
  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#memory.close()
    const outcomes = await Promise.allSettled([this.dirty.disable(), this.#model?.close()])
    this.#guard.drop('runs-along')
    this.#guard.close()
    const failed = outcomes.find((one) => one.status === 'rejected')
    if (failed !== undefined && !isGone(failed.reason)) throw failed.reason
  }
}

const isGone = (error: unknown): boolean => error instanceof BackendError && (error.code === 'BACKEND_NO_SUCH_DOMAIN' || error.code === 'BACKEND_DEVICE_MODEL')
