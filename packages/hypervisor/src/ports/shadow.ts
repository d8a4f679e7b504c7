import type { CheckpointDevice } from './checkpoint-device.ts'
import type { DirtyLog } from './dirty-log.ts'

/**
 * What else is needed of a restored guest that runs between checkpoints and is filled again at each: its own writes are to be known, since they have to be
 * undone, and what its devices have done is to be forgotten.
 */
export interface ShadowPorts {
  /** One above the highest gfn in use. */
  frames(): Promise<number>
  /** Writes of the guest itself, those of its emulator included; tracked from `openShadow()` on. */
  readonly dirty: DirtyLog
  /**
   * Devices as the secondary has them. `preresume`: what the guest has done here up to now never happened, the devices are those of the checkpoint.
   * `teardown('release')`: what it has done since stands.
   */
  readonly devices: readonly CheckpointDevice[]
  /** State of a device model that runs already; called while the guest stands. Where there is no emulator nothing happens. */
  loadDeviceModel(): Promise<void>
  /**
   * Gives everything back. `stays`: the guest is one of this host from now on. `goes`: whoever closes it destroys it next; a guest that nobody has said
   * `stays` of goes with its process where the host can see to that. May be called twice.
   */
  close(guest: 'stays' | 'goes'): Promise<void>
}
