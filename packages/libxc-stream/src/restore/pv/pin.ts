import { isReservedType, PAGE } from '@xen-replication/format'
import type { PvBuilder } from '@xen-replication/hypervisor'
import type { PvPages } from './pv-pages.ts'

/** Tables one call may pin. Source: xg_sr_restore_x86_pv.c, MAX_PIN_BATCH. */
const PIN_BATCH = 1024

type Table = Parameters<PvBuilder['pin']>[0][number]

/** Has the hypervisor take the pages that were pinned as page tables again. @throws BackendError */
export async function pinTables(pv: PvBuilder, pages: PvPages): Promise<void> {
  let batch: Table[] = []
  for (const [pfn, type] of pages.types()) {
    if (!isPinned(type)) continue
    batch.push({ level: (type & 7) as Table['level'], mfn: pages.mfn(pfn) })
    if (batch.length < PIN_BATCH) continue
    await pv.pin(batch)
    batch = []
  }
  if (batch.length > 0) await pv.pin(batch)
}

const isPinned = (type: number): boolean => (type & PAGE.PINNED) !== 0 && type < PAGE.BROKEN && !isReservedType(type)
