import { BackendError } from '@xen-replication/hypervisor'
import type { XenstoreView } from '../xenstore/xenstore.ts'

/** What the interface of an emulated network card is called, beside that of the Xen one. Source: libxl_nic.c, TAP_DEVICE_SUFFIX */
const EMULATED = '-emu'

/**
 * Interfaces of this host through which a guest's packets come: of each of its network devices, and of the card that its device model emulates for it.
 *
 * @param isThere whether this host has an interface of that name.
 * @throws BackendError BACKEND_UNSUPPORTED for a device whose other end is in another domain
 */
export async function guestVifs(store: XenstoreView, domId: number, isThere: (name: string) => Promise<boolean>): Promise<readonly string[]> {
  const frontends = `/local/domain/${domId}/device/vif`
  const vifs: string[] = []
  for (const id of await store.list(frontends)) {
    const backend = await store.read(`${frontends}/${id}/backend`)
    if (backend === undefined) continue // it is being taken away
    if (!backend.startsWith('/local/domain/0/')) throw new BackendError('BACKEND_UNSUPPORTED', `network device ${id} of domain ${domId} has its other end in a driver domain, where its packets cannot be held back from here`, { hint: 'give the guest a device of the control domain, or replicate with -n -F' })
    const name = (await store.read(`${backend}/vifname`)) ?? `vif${domId}.${id}`
    vifs.push(name, ...((await isThere(name + EMULATED)) ? [name + EMULATED] : []))
  }
  return vifs
}
