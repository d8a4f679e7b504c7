import type { GuestForSave } from '@xen-replication/hypervisor'
import { takeDirty } from './dirty-pages.ts'
import { hex, SaveError } from './save-error.ts'
import type { SaveRun } from './save-run.ts'

/** Has the guest suspend itself. @throws SaveError SAVE_NOT_SUSPENDED; BackendError BACKEND_SUSPEND, BACKEND_SUSPEND_TIMEOUT */
export async function suspend({ guest, signal }: SaveRun): Promise<void> {
  await guest.lifecycle.suspend(signal)
  await requireSuspended(guest)
}

/** @throws SaveError SAVE_NOT_SUSPENDED */
export async function requireSuspended({ lifecycle }: GuestForSave): Promise<void> {
  const { dying, shutdown } = await lifecycle.state()
  if (!dying && shutdown === 'suspend') return
  const what = dying ? 'is being destroyed' : shutdown === undefined ? 'runs' : `has shut down: ${shutdown}`
  throw new SaveError('SAVE_NOT_SUSPENDED', `the guest should stand suspended, but ${what}`)
}

/**
 * Finds out what is still to be sent of a guest that stands: what it wrote, what had to be put off, and what the caller adds.
 *
 * @param more further pfns, of a secondary that ran on by itself.
 * @returns how many pages to expect.
 * @throws SaveError SAVE_DIRTY_PFN
 */
export async function collectLast({ guest, writer, todo, observe }: SaveRun, round: number, more: Iterable<number>): Promise<number> {
  const dirty = await takeDirty(guest.dirty, todo, 'last')
  observe({ type: 'dirty', round, pages: dirty })
  todo.merge(writer.deferred)
  const expected = dirty + writer.deferrals
  writer.forgetDeferred()
  for (const pfn of more) {
    if (!Number.isInteger(pfn) || pfn < 0 || pfn >= todo.size) {
      throw new SaveError('SAVE_DIRTY_PFN', `the peer says that it wrote pfn ${pfn}; the guest has ${hex(todo.size)} pages`)
    }
    todo.add(pfn)
  }
  return expected
}
