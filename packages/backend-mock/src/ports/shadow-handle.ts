import { BackendError, type CheckpointDevice, type DirtyLog, type DomId, type ShadowPorts } from '@xen-replication/hypervisor'
import type { Disk } from '../device/disk.ts'
import { runs } from '../guest/timeline.ts'
import type { HostCore } from '../host/host-core.ts'
import { SaveHandle } from './save-handle.ts'

/** Has a simulated guest follow another one. @throws BackendError BACKEND_UNSUPPORTED, BACKEND_STATE, BACKEND_NO_SUCH_DOMAIN */
export async function openShadow(core: HostCore, domId: DomId): Promise<ShadowPorts> {
  const { record } = core.stored(domId)
  if (record.kind === 'pv') throw new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} is PV: what stands cannot be filled again`, { hint: 'only PVH and HVM guests can be kept in lock-step' })
  const guest = core.attach(domId)
  const handle = new SaveHandle(core, guest)
  try {
    await core.settle(guest)
    if (runs(guest.timeline)) throw new BackendError('BACKEND_STATE', `domain ${domId} runs`, { hint: 'a mistake of the program that restores' })
    await setPhase(core, domId, 'shadow')
    await handle.dirty.enable()
    await handle.deviceModel?.logDirty('on')
    return new Shadow(core, domId, handle, guest.disks.map((disk) => new ShadowDisk(disk)))
  } catch (error) {
    await handle.close()
    throw error
  }
}

class Shadow implements ShadowPorts {
  readonly dirty: DirtyLog
  readonly devices: readonly CheckpointDevice[]
  readonly #core: HostCore
  readonly #domId: number
  readonly #handle: SaveHandle
  #open = true

  constructor(core: HostCore, domId: number, handle: SaveHandle, devices: readonly CheckpointDevice[]) {
    this.dirty = handle.dirty
    this.devices = devices
    this.#core = core
    this.#domId = domId
    this.#handle = handle
  }

  frames(): Promise<number> {
    return this.#handle.memory.frames()
  }

  /** What was set with the checkpoint is what the model goes on with. */
  loadDeviceModel(): Promise<void> {
    return Promise.resolve()
  }

  async close(guest: 'stays' | 'goes'): Promise<void> {
    if (!this.#open) return
    this.#open = false
    try {
      if (guest === 'stays') await setPhase(this.#core, this.#domId, 'built')
    } finally {
      await this.#handle.close()
    }
  }
}

/** A disk whose writes of this side are forgotten at each checkpoint. */
class ShadowDisk implements CheckpointDevice {
  readonly kind = 'disk'
  readonly name: string
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.name = disk.name
    this.#disk = disk
  }

  setup(): Promise<void> {
    return this.#disk.setup()
  }

  postsuspend(epoch: number): Promise<void> {
    return this.#disk.postsuspend(epoch)
  }

  async preresume(): Promise<void> {
    await this.#disk.teardown('drop')
    await this.#disk.setup()
  }

  commit(): Promise<void> {
    return Promise.resolve()
  }

  waiting(): Promise<number> {
    return this.#disk.waiting()
  }

  teardown(held: 'release' | 'drop'): Promise<void> {
    return this.#disk.teardown(held)
  }
}

const setPhase = (core: HostCore, domId: number, phase: 'shadow' | 'built'): Promise<void> => core.change((change) => change.put({ ...core.stored(domId).record, phase }))
