import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** TRUNCATED: the bytes ran out. JSON: a document that no image can be made from. VALUE: a value its field cannot hold. */
export type FormatErrorCode = 'FMT_TRUNCATED' | 'FMT_JSON' | 'FMT_VALUE'

/** Bytes, or a description of bytes, that do not follow their format. `offset` is present whenever bytes were read. */
export class FormatError extends XrError<FormatErrorCode> {
  override readonly name = 'FormatError'

  constructor(code: FormatErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
