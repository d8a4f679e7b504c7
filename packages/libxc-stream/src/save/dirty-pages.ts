import type { DirtyLog, DirtyPages } from '@xen-replication/hypervisor'
import type { PageSet } from './page-set.ts'
import { SaveError } from './save-error.ts'

/** Turns tracking on; someone else's tracking (of the screen's memory) is turned off first when it is in the way. */
export async function enableDirtyLog(dirty: DirtyLog): Promise<void> {
  try {
    await dirty.enable()
  } catch {
    await dirty.disable()
    await dirty.enable()
  }
}

/**
 * Fetches and clears what the guest has written.
 *
 * @param into becomes the set of those pages.
 * @returns the hypervisor's estimate of their number.
 */
export async function takeDirty(dirty: DirtyLog, into: PageSet, last?: 'last'): Promise<number> {
  const { bitmap, estimate } = last === undefined ? await dirty.take(into.size) : await dirty.take(into.size, last)
  into.assign(checkedBitmap(bitmap, into.size))
  return estimate
}

function checkedBitmap(bitmap: DirtyPages['bitmap'], pages: number): Uint8Array {
  if (8 * bitmap.length >= pages) return bitmap
  throw new SaveError('SAVE_DIRTY_LOG', `the record of written pages has ${bitmap.length} bytes, the guest ${pages} pages`)
}
