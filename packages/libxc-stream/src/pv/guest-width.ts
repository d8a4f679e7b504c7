import { PAGE_SIZE } from '@xen-replication/format'

/** Bytes of a PV guest's machine word. */
export type GuestWidth = 4 | 8

/** Levels of the page tables of a PV guest: a 32-bit one has PAE. */
export const tableLevels = (width: GuestWidth): 3 | 4 => (width === 8 ? 4 : 3)

/** Frame numbers in a page of the guest's own tables, such as the p2m. */
export const framesPerPage = (width: GuestWidth): number => PAGE_SIZE / width
