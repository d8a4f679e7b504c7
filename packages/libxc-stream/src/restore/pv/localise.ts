import type { MachineMap } from '@xen-replication/hypervisor'
import { frameOfEntry, isPresent, TABLE_ENTRIES, translateTable } from '../../pv/page-table.ts'
import type { Populator } from '../populate.ts'
import { hex, refused, RestoreError, type StreamPlace } from '../restore-error.ts'
import type { PvPages } from './pv-pages.ts'

/** What fitting a page table to a host needs. */
export interface LocaliseScene {
  readonly pages: PvPages
  readonly populator: Populator
  readonly machine: MachineMap
}

/**
 * Puts this host's frames into a page table, in place of pfns; what it names for the first time is populated. Xen's own slots
 * are empty and stay so: it fills them when the table is pinned.
 *
 * Xen's restorer aborts on a pfn above the end of the guest.
 *
 * @throws RestoreError XC_PTE_RANGE, RESTORE_PAGE_TABLE; BackendError BACKEND_MEMORY
 */
export async function localiseTable({ pages, populator, machine }: LocaliseScene, words: Uint32Array, level: number, place: StreamPlace): Promise<void> {
  const missing: number[] = []
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    if (!isPresent(words, 0, i)) continue
    const pfn = frameOfEntry(words, 0, i)
    if (pfn > pages.maxPfn) throw refused('XC_PTE_RANGE', place, `entry ${i} of a level ${level} table refers to pfn ${hex(pfn)}, the end is ${hex(pages.maxPfn)}`)
    if (!populator.has(pfn)) missing.push(pfn)
  }
  if (missing.length > 0) await populator.add(missing)
  const fault = translateTable(words, 0, level, (pfn) => {
    const mfn = pages.mfn(pfn)
    return mfn <= machine.maxMfn && machine.pfn(mfn) === pfn ? mfn : -1
  })
  if (fault === undefined) return
  const { kind, entry, frame } = fault
  const why = kind === 'superpage' ? 'maps a superpage, which PV guests cannot have' : `refers to pfn ${hex(frame)}, for which the host has no frame of the guest’s`
  throw new RestoreError('RESTORE_PAGE_TABLE', `entry ${entry} of a level ${level} table ${why}`, place)
}
