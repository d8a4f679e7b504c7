import type { GuestForRestore, GuestForSave, RingPorts } from '@xen-replication/hypervisor'
import { XenGuestForRestore, type RestoreOwner } from './guest-for-restore.ts'
import { XenGuestForSave, type GuestParts } from './guest-for-save.ts'
import type { Platform } from './platform/platform.ts'
import { XenLifecycle } from './ports/lifecycle.ts'

/** Guests of a Xen host whose making and unmaking is somebody else's: libxl's, when it runs an engine as its helper. */
export class XenGuests {
  readonly #platform: Platform
  readonly #parts: GuestParts

  constructor(platform: Platform, parts: GuestParts) {
    this.#platform = platform
    this.#parts = parts
  }

  openForSave(domId: number): GuestForSave {
    return new XenGuestForSave(this.#platform, domId, this.#parts)
  }

  /**
   * Fills a domain that is there already. Completing it seeds its grants and no more; closing it leaves it where it is.
   *
   * @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_DENIED
   */
  adoptForRestore(domId: number, rings: RingPorts): GuestForRestore {
    const owner: RestoreOwner = {
      rings,
      lifecycle: new XenLifecycle(this.#platform, domId, () => ({ model: undefined, destroy: this.#parts.destroy })),
      deviceModel: undefined,
      tookPolicy: () => undefined,
      beforeCpuState: () => Promise.resolve(),
      complete: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }
    return new XenGuestForRestore(this.#platform, domId, owner)
  }

  close(): Promise<void> {
    return this.#platform.close()
  }
}
