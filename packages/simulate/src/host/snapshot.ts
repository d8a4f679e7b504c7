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
  for (const run of runsOf(view, first, pages)) memory = crc32(run, memory)
  return { ops: view.ops, writes: state[WORD.diskWrites] as number, memory }
}

/** Pages that lie side by side as one: that is far faster to go through. */
function runsOf(view: GuestView, first: number, count: number): readonly Uint8Array[] {
  const runs: Uint8Array[] = []
  for (let pfn = first; pfn < first + count; pfn += 1) {
    const page = view.page(pfn) as Uint8Array
    const last = runs.at(-1)
    if (last !== undefined && last.buffer === page.buffer && last.byteOffset + last.length === page.byteOffset) runs[runs.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + page.length)
    else runs.push(page)
  }
  return runs
}
