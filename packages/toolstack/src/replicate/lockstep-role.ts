import type { AbortSignalLike } from '@xen-replication/hypervisor'
import type { Role } from '@xen-replication/plugin-api'

/** Whether the guest of this side's strategy runs on both hosts: only then are there dirty pages of the secondary. */
export function isLockstep({ table }: Role): boolean {
  return Object.values(table).some((row) => Object.values(row).some((move) => move?.run.some((effect) => effect === 'read-dirty-list' || effect === 'send-dirty-list')))
}

/** For a side whose output nobody compares: waits until `signal` aborts. @throws its reason */
export function neverDiverged(signal: AbortSignalLike): Promise<never> {
  return new Promise((_, reject) => {
    const over = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    if (signal.aborted) return over()
    signal.addEventListener('abort', over, { once: true })
  })
}
