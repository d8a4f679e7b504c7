/** Bits of a page-table entry, low word. Source: Intel SDM volume 3, 4-level paging. */
export const PTE = { PRESENT: 0x1, WRITE: 0x2, USER: 0x4, ACCESSED: 0x20, DIRTY: 0x40, LARGE: 0x80 } as const

/** An ordinary mapping of kernel memory, of user memory, and a table under a table. */
export const KERNEL = PTE.PRESENT | PTE.WRITE | PTE.ACCESSED | PTE.DIRTY
export const USER = KERNEL | PTE.USER
export const TABLE = PTE.PRESENT | PTE.WRITE | PTE.USER | PTE.ACCESSED | PTE.DIRTY

/** Entries of a table; of the top table of a 32-bit guest. */
export const ENTRIES = 512
export const PAE_TOP_ENTRIES = 4

/** Slots that belong to Xen: of a 64-bit top table, and of the L2 table that the last entry of a 32-bit top table names. Source: save-engine rules of libxc. */
export const XEN_L4_SLOTS = { first: 256, last: 271 } as const
export const XEN_PAE_L2_SLOTS = { first: 428, last: 511 } as const

/** Frame that an entry names. */
export function frameOf(low: number, high: number): number {
  return (high & 0xfffff) * 2 ** 20 + (low >>> 12)
}

/** Low word of an entry that names a frame. */
export function lowOf(frame: number, flags: number): number {
  return ((frame * 4096) % 2 ** 32 | flags) >>> 0
}

/** High word. */
export function highOf(frame: number): number {
  return Math.floor(frame / 2 ** 20)
}

/** Page number (virtual address / 4096) from the indices of its tables, top first. */
export function pageNumber(l4: number, l3: number, l2: number, l1: number): number {
  return ((l4 * ENTRIES + l3) * ENTRIES + l2) * ENTRIES + l1
}

/** Index into the table of `level` for a page number. */
export function indexAt(level: number, page: number): number {
  return Math.floor(page / ENTRIES ** (level - 1)) % ENTRIES
}
