import type { DomainState } from '../guest.ts'
import type { AbortSignalLike } from './clock.ts'

/** Stopping and starting a guest. Each call may be repeated: what is already so stays so. */
export interface Lifecycle {
  state(): Promise<DomainState>
  /**
   * Asks the guest to suspend itself and waits until it has.
   *
   * @throws BackendError BACKEND_SUSPEND_TIMEOUT when it does not answer, BACKEND_SUSPEND when it shut down otherwise.
   */
  suspend(signal?: AbortSignalLike): Promise<void>
  /**
   * Lets a suspended guest go on.
   *
   * @param how `cancelled`: suspending returns "cancelled", devices stay connected; `resumed`: as after a restore.
   */
  resume(how: 'cancelled' | 'resumed'): Promise<void>
  pause(): Promise<void>
  unpause(): Promise<void>
  destroy(): Promise<void>
}
