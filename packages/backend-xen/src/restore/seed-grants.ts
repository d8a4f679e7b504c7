import type { RingPorts } from '@xen-replication/hypervisor'
import { writeStruct, type Layout } from '../hypercall/struct.ts'
import type { Platform } from '../platform/platform.ts'

/** One entry of a grant table. Source: public/grant_table.h struct grant_entry_v1. */
const entry = { size: 8, fields: { flags: [0, 'u16'], domain: [2, 'u16'], frame: [4, 'u32'] } } as const satisfies Layout
const PERMIT_ACCESS = 1
/** Reserved entries. Source: GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE. */
const RESERVED = { console: 0, store: 1 } as const
const NO_FRAME = 0xffffffff

/** Lets the other ends of the guest's rings map them by grant. Source: xg_dom_boot.c xc_dom_gnttab_seed(). @throws BackendError BACKEND_MAP */
export function seedGrants({ foreign }: Platform, domId: number, rings: RingPorts, frames: { readonly store: number; readonly console: number }): void {
  const pages = foreign.grantTable(domId)
  try {
    for (const ring of ['console', 'store'] as const) {
      const frame = frames[ring]
      const { domId: domain } = rings[ring]
      if (domain === domId || frame === NO_FRAME) continue
      writeStruct(entry, pages.bytes, RESERVED[ring] * entry.size, { flags: PERMIT_ACCESS, domain, frame })
    }
  } finally {
    pages.unmap()
  }
}
