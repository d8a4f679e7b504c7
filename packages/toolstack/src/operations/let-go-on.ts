import type { GuestForSave } from '@xen-replication/hypervisor'
import type { GuestFate } from '../observe/tool-events.ts'

/**
 * Undoes a suspend after a save that failed, as `xl` does: the guest goes on as if nothing had been. Never throws.
 *
 * @returns how it stands then.
 */
export async function letGoOn({ lifecycle }: GuestForSave): Promise<GuestFate> {
  try {
    if ((await lifecycle.state()).shutdown === 'suspend') await lifecycle.resume('cancelled')
    const { dying, paused, shutdown } = await lifecycle.state()
    if (dying) return 'gone'
    if (shutdown !== undefined) return shutdown === 'suspend' ? 'suspended' : 'ended'
    return paused ? 'paused' : 'runs'
  } catch {
    return 'unknown'
  }
}
