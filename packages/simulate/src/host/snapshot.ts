import { COUNTER_PFN, STATE_PFN, type GuestView } from '@xen-replication/backend-mock'
import { crc32 } from 'node:zlib'

/** What a guest is like at a moment at which it stands still. */
export interface Snapshot {
  /** Operations it has done. */
  readonly ops: number
  /** Writes to its disk, by its own count. */
  readonly writes: number
  /** Over what it works with; the rest of its memory a host may give it anew: page tables, special pages, the time. */
  readonly memory: number
}

/** Words of the guest's state page. Source: backend-mock, state-page.ts. */
const WORD = { regionStart: 9, regionPages: 10, diskWrites: 14 } as const
/** Words up to here say what the guest does; later ones where it lies in memory. */
const WORDS = 20

export function snapshotOf(view: GuestView): Snapshot {
  const page = view.page(STATE_PFN) as Uint8Array
  const state = new Uint32Array(page.buffer, page.byteOffset, WORDS)
  const [first, pages] = [state[WORD.regionStart] as number, state[WORD.regionPages] as number]
  let memory = crc32(view.page(COUNTER_PFN) as Uint8Array, crc32(page.subarray(0, 4 * WORDS)))
  for (let pfn = first; pfn < first + pages; pfn += 1) memory = crc32(view.page(pfn) as Uint8Array, memory)
  return { ops: view.ops, writes: state[WORD.diskWrites] as number, memory }
}
