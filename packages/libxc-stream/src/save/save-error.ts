import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of the save engine means; `docs/errors.md` is made from it. */
export const saveCodes = {
  SAVE_ORDER: 'The steps of a save were asked for in an order that makes no image.',
  SAVE_ABORTED: 'The save was called off.',
  SAVE_NOT_SUSPENDED: 'The guest does not stand suspended: it shut down otherwise, or runs again.',
  SAVE_PAGE_TYPE: 'The hypervisor tells a type of page that images do not have.',
  SAVE_PAGE_TABLE: 'A page table points to a frame that is not the guest’s, so that no other host could use it.',
  SAVE_SUPERPAGE: 'A page table of a PV guest maps a superpage, which images cannot hold.',
  SAVE_TABLE_LEVEL: 'A page table is of a level that guests of this width do not have.',
  SAVE_P2M: 'What a PV guest says about its table from pfn to machine frame makes no sense.',
  SAVE_P2M_MOVED: 'A PV guest rebuilt its table from pfn to machine frame while it was saved.',
  SAVE_VCPU: 'The state of a vCPU cannot be put into an image.',
  SAVE_DIRTY_LOG: 'The record of written pages does not cover the guest.',
  SAVE_DIRTY_PFN: 'The peer names a page as written that the guest does not have.',
  SAVE_TOO_LARGE: 'A piece of the guest’s state is longer than a record may be.',
} as const

export type SaveErrorCode = keyof typeof saveCodes

/** A save that cannot go on. Nothing of the guest is changed by it but what `ImageSaver.close()` undoes. */
export class SaveError extends XrError<SaveErrorCode> {
  override readonly name = 'SaveError'

  constructor(code: SaveErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}

/** A frame number as messages show it. */
export const hex = (n: number): string => `0x${n.toString(16)}`
