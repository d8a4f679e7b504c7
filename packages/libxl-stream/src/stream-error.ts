import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What the codes mean that are not faults of a stream; `docs/errors.md` is made from it. */
export const streamCodes = {
  STREAM_ORDER: 'The steps of writing a stream were asked for in an order that makes no stream.',
  STREAM_NO_DEVICE_MODEL: 'An HVM guest has no device model whose state could be saved or restored.',
  STREAM_XENSTORE: 'The device model keeps something in xenstore that a stream cannot hold.',
  STREAM_TOO_LARGE: 'The state of a device model is longer than a record may be.',
} as const

export type StreamErrorCode = keyof typeof streamCodes

/** A stream that cannot be written, or a guest that it cannot be written of. */
export class StreamError extends XrError<StreamErrorCode> {
  override readonly name = 'StreamError'

  constructor(code: StreamErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
