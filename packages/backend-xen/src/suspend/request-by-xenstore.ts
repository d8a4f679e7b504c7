import { BackendError, type AbortSignalLike } from '@xen-replication/hypervisor'
import type { Platform } from '../platform/platform.ts'
import { changes } from './changes.ts'
import { ANSWER_MS } from './times.ts'

const REQUEST = 'suspend'

/**
 * Asks the guest's kernel to suspend, and waits until it has said that it will. Source: libxl_dom_suspend.c.
 *
 * @throws BackendError BACKEND_SUSPEND_TIMEOUT when it does not; the request is taken back then
 */
export async function requestByXenstore(platform: Platform, domId: number, signal?: AbortSignalLike): Promise<void> {
  const store = await platform.xenstore()
  const path = `/local/domain/${domId}/control/shutdown`
  await store.write(path, REQUEST)
  const taken = async (): Promise<boolean> => (await store.read(path)) !== REQUEST
  try {
    if (await changes(store, platform.clock, path, taken, ANSWER_MS, signal)) return
  } catch (error) {
    await withdraw(platform, path)
    throw error
  }
  if (await withdraw(platform, path)) throw new BackendError('BACKEND_SUSPEND_TIMEOUT', `domain ${domId} did not take the request to suspend within ${ANSWER_MS} ms`, { hint: 'its kernel needs Xen support for suspending; it runs on' })
}

/** @returns whether it was still there to be taken back; a guest that took it in the last moment will suspend. */
async function withdraw(platform: Platform, path: string): Promise<boolean> {
  const store = await platform.xenstore()
  return store.atomically(async (view) => {
    if ((await view.read(path)) !== REQUEST) return false
    await view.write(path, '')
    return true
  })
}
