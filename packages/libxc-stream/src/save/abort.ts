import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { SaveError } from './save-error.ts'

/** @throws SaveError SAVE_ABORTED once the caller has called the save off. */
export function requireGoing(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted === true) throw new SaveError('SAVE_ABORTED', 'the save was called off', { cause: signal.reason })
}
