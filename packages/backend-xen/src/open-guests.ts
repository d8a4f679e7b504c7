import { BackendError } from '@xen-replication/hypervisor'
import { openPlatform, XEN_RUN_DIR } from './native/open-platform.ts'
import { whenNeeded } from './guard/when-needed.ts'
import { XenGuests } from './xen-guests.ts'

/**
 * Guests of this host for a process that libxl runs: domains are made and ended by libxl alone.
 *
 * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED, BACKEND_HOST
 */
export function openXenGuests(): XenGuests {
  const destroy = (domId: number): Promise<void> => Promise.reject(new BackendError('BACKEND_UNSUPPORTED', `domain ${domId} is libxl's to end`))
  return new XenGuests(openPlatform(), { scratchDir: XEN_RUN_DIR, destroy, startGuard: whenNeeded })
}
