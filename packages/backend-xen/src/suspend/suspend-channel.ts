import { BackendError, type AbortSignalLike } from '@xen-replication/hypervisor'
import type { EventChannel } from '../platform/event-channels.ts'
import type { Platform } from '../platform/platform.ts'
import { STAND_MS } from './times.ts'

/** The event channel over which some PV guests suspend sooner than by xenstore. */
export class SuspendChannel {
  readonly #channel: EventChannel
  readonly #unlock: () => void

  private constructor(channel: EventChannel, unlock: () => void) {
    this.#channel = channel
    this.#unlock = unlock
  }

  /**
   * Binds the channel that the guest offers.
   *
   * @returns undefined when it offers none.
   * @throws BackendError BACKEND_STATE when somebody else has it; BACKEND_HOST
   */
  static async bind(platform: Platform, domId: number): Promise<SuspendChannel | undefined> {
    const store = await platform.xenstore()
    const text = await store.read(`/local/domain/${domId}/device/suspend/event-channel`)
    if (text === undefined || text === '') return undefined
    const port = Number(text)
    if (!Number.isSafeInteger(port) || port <= 0) throw new BackendError('BACKEND_HOST', `domain ${domId} names '${text}' as its channel for suspending, which is no port`)
    const channels = platform.eventChannels()
    const unlock = channels.lockSuspend(domId)
    try {
      const channel = channels.bind(domId, port)
      platform.domctl.call(domId, 'subscribe', { port }, 'BACKEND_HOST', 'word of its suspending')
      await channel.heard(0) // one is pending from the start
      return new SuspendChannel(channel, unlock)
    } catch (error) {
      unlock()
      throw error
    }
  }

  /** @throws BackendError BACKEND_SUSPEND_TIMEOUT */
  async suspend(domId: number, stands: () => boolean, now: () => number, signal?: AbortSignalLike): Promise<void> {
    const end = now() + STAND_MS
    this.#channel.notify()
    while (!stands()) {
      const left = end - now()
      if (left <= 0) throw new BackendError('BACKEND_SUSPEND_TIMEOUT', `domain ${domId} did not suspend within ${STAND_MS} ms of being told over its event channel`)
      await this.#channel.heard(left, signal)
    }
  }

  close(): void {
    this.#channel.close()
    this.#unlock()
  }
}
