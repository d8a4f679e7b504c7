import type { GuestKind } from '@xen-replication/hypervisor'
import type { Disk } from '../device/disk.ts'
import type { Nic } from '../device/nic.ts'
import type { Guest } from '../guest/guest.ts'
import { StatePage } from '../guest/state-page.ts'

/** A guest as tests and demonstrations see it, from outside all rules. */
export interface GuestView {
  readonly kind: GuestKind
  /** One above the highest pfn. */
  readonly top: number
  /** Operations of its workload so far, by its own count; 0 for a guest that was saved elsewhere. */
  readonly ops: number
  /** How often it came back from being suspended, by what it was told. */
  readonly returned: { readonly cancelled: number; readonly resumed: number }
  /** Why it crashed; undefined while it lives. */
  readonly crash: string | undefined
  readonly nics: readonly Nic[]
  readonly disks: readonly Disk[]
  /** Which pfns have pages, ascending: first, and how many. */
  readonly runs: readonly (readonly [start: number, count: number])[]
  /** The page itself; undefined where there is none. */
  page(pfn: number): Uint8Array | undefined
  /** The frame that mappings ask for: mfn for PV, gfn for the others. */
  frame(pfn: number): number | undefined
  /** Type of a page as Xen reports it. */
  type(pfn: number): number
}

export function viewOf(guest: Guest): GuestView {
  const { record, space, ram, nics, disks, crash } = guest
  const state = new StatePage(ram)
  const { present } = state
  return {
    kind: record.kind,
    top: space.top,
    runs: space.runs(),
    ops: present ? state.ops : 0,
    returned: { cancelled: present ? state.get('cancelled') : 0, resumed: present ? state.get('resumed') : 0 },
    crash,
    nics,
    disks,
    page: (pfn) => (space.frame(pfn) === undefined ? undefined : ram.page(pfn)),
    frame: (pfn) => space.frame(pfn),
    type: (pfn) => {
      const frame = space.frame(pfn)
      return frame === undefined ? 15 : guest.type(frame)
    },
  }
}
