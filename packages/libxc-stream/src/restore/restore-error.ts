import { XrError, type ErrorDetail } from '@xen-replication/errors'
import { rules, type RuleCode } from '@xen-replication/format'

/** What the codes mean that are not faults of a stream; `docs/errors.md` is made from it. */
export const restoreCodes = {
  RESTORE_ORDER: 'The steps of a restore were asked for in an order that makes no guest.',
  RESTORE_ABORTED: 'The restore was called off.',
  RESTORE_READ: 'The source of a stream failed.',
  RESTORE_HELD_LIMIT: 'A checkpoint is larger than what may be held back until it is complete.',
  RESTORE_GUEST: 'The domain to restore into lacks what this kind of guest needs.',
  RESTORE_WIDTH: 'The host did not take on the width of a PV guest’s words.',
  RESTORE_PAGE_TABLE: 'A page table of an image cannot be made to fit this host.',
} as const

/** Faults of a stream have the codes by which `xr verify` reports them. */
export type RestoreErrorCode = keyof typeof restoreCodes | RuleCode

/** A restore that cannot go on: what the stream holds cannot be made a guest. */
export class RestoreError extends XrError<RestoreErrorCode> {
  override readonly name = 'RestoreError'

  constructor(code: RestoreErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}

/** Where something stands in a stream. */
export interface StreamPlace {
  /** In bytes from the start. */
  readonly offset: number
  /** Index of the record, counted over all layers; undefined for what is none. */
  readonly record?: number | undefined
}

/** The error for a stream that breaks a rule. @param detail the numbers that are wrong. */
export function refused(code: RuleCode, { offset, record }: StreamPlace, detail?: string): RestoreError {
  const { says, hint } = rules[code]
  return new RestoreError(code, detail === undefined ? says : `${says}: ${detail}`, { offset, record, hint })
}

/** The error for a caller that mixes up the steps. */
export const outOfOrder = (what: string): RestoreError => new RestoreError('RESTORE_ORDER', what, { hint: 'a mistake of the program that restores, not of the image' })

/** A number of a frame, a type or an address as messages show it. */
export const hex = (n: number): string => `0x${n.toString(16)}`
