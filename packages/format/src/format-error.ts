import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of this package means; `docs/errors.md` is made from it. */
export const formatCodes = {
  FMT_TRUNCATED: 'The bytes ran out before the item was complete.',
  FMT_NOT_AN_IMAGE: 'The first bytes belong to no format known here.',
  FMT_BODY_SIZE: 'A record body has a length that its layout does not allow.',
  FMT_BODY_TOO_LARGE: 'A body is longer than the limit for holding it in memory.',
  FMT_VALUE: 'A field holds a value that cannot be written in the format.',
  FMT_JSON: 'A JSON document does not describe an image.',
  FMT_BACK_CHANNEL: 'A record has no place on the COLO back channel.',
  FMT_HANDSHAKE: 'The peer sent something else than the migration message that was due.',
  FMT_LEGACY_GUEST_UNKNOWN: 'A legacy stream does not tell whether it is PV or HVM, or of 32 or 64 bits.',
  FMT_LEGACY_CHUNK: 'A legacy stream holds a chunk that is unknown or malformed.',
  FMT_LEGACY_UNSUPPORTED: 'A legacy stream uses something that has no counterpart in current streams.',
  FMT_COLO_MESSAGE: 'A QEMU of a COLO pair said something that is no COLO message.',
  FMT_QEMU_STREAM: 'A QEMU migration stream holds something that has no place there, or that is not read here.',
  FMT_PFN_RANGE: 'A pfn lies beyond what an output file can hold.',
  FMT_CONVERT: 'The image cannot be expressed in the wanted format.',
  FMT_CHECKPOINTED: 'The image is a series of checkpoints, which the wanted format cannot hold.',
  FMT_LEGACY: 'The image has the format from before Xen 4.6 and is to be converted first.',
  FMT_NO_STATE: 'The image holds no complete state of a guest: no checkpoint is complete, or it breaks off before its END.',
  FMT_NO_EMULATOR: 'The image breaks off before the state of the device model, which its guest needs.',
} as const

export type FormatErrorCode = keyof typeof formatCodes

/** Bytes, or a description of bytes, that do not follow their format. `offset` is present whenever bytes were read. */
export class FormatError extends XrError<FormatErrorCode> {
  override readonly name = 'FormatError'

  constructor(code: FormatErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
