import { pageTypeName } from '@xen-replication/format'
import type { TableFault } from '../pv/page-table.ts'
import { hex, SaveError, type SaveErrorCode } from './save-error.ts'

const CODES: Readonly<Record<TableFault['kind'], SaveErrorCode>> = { level: 'SAVE_TABLE_LEVEL', superpage: 'SAVE_SUPERPAGE', foreign: 'SAVE_PAGE_TABLE' }
const WORDS: Readonly<Record<TableFault['kind'], string>> = {
  level: 'is a table that a 32-bit guest does not have',
  superpage: 'maps a superpage',
  foreign: 'points to a frame that is not the guest’s',
}

/** The error for a page table that cannot be put into an image. Xen's saver would leave it out without a word. */
export function tableError(pfn: number, type: number, { kind, entry, frame }: TableFault): SaveError {
  const what = `page table at pfn ${hex(pfn)} (${pageTypeName(type)}): entry ${entry}, frame ${hex(frame)}, ${WORDS[kind]}`
  const hint = kind === 'foreign' ? 'the guest maps memory of another domain or of a device: detach what it shares, then try again' : undefined
  return new SaveError(CODES[kind], what, { hint })
}
