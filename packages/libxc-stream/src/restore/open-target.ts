import type { GuestForRestore } from '@xen-replication/hypervisor'
import { HvmTarget } from './guests/x86-hvm.ts'
import { PvTarget } from './guests/x86-pv.ts'
import { Populator } from './populate.ts'
import { PvPages } from './pv/pv-pages.ts'
import { RecordHandler } from './record-handler.ts'
import type { RestoreObserver } from './restore-event.ts'
import { RestoreError } from './restore-error.ts'
import { StaticData } from './static-data.ts'

/** Prepares what records are applied to. @throws RestoreError RESTORE_GUEST; BackendError */
export async function openTarget(guest: GuestForRestore, observe: RestoreObserver = () => undefined): Promise<RecordHandler> {
  const staticData = new StaticData(guest.cpu, observe)
  if (guest.facts.kind !== 'pv') {
    const populator = new Populator(guest.memory, () => undefined)
    return new RecordHandler({ guest, target: new HvmTarget(guest, populator), populator, staticData, observe })
  }
  const { pv } = guest
  if (pv === undefined) throw new RestoreError('RESTORE_GUEST', 'the host offers no way to build a PV guest', { hint: 'a mistake of the backend' })
  const pages = new PvPages()
  const populator = new Populator(guest.memory, (pfn, mfn) => pages.place(pfn, mfn))
  const target = new PvTarget({ guest, pv, pages, populator, staticData }, await pv.width())
  return new RecordHandler({ guest, target, populator, staticData, observe })
}
