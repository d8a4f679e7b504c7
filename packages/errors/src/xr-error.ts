const brand: unique symbol = Symbol.for('@xen-replication/errors') as never // still recognised when two copies are loaded

export interface ErrorDetail {
  /** Byte in the stream where the fault is, counted from the start of the stream. */
  readonly offset?: number | undefined
  /** Index of the record at fault, the first record being 0. */
  readonly record?: number | undefined
  /** What the reader of the message can do next, in one sentence. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/**
 * The one base of every error that xr reports: a stable code to match on, a place to look at, a hint to act on.
 *
 * The place is appended to the message as `(at byte N, record M)`, with the parts that are known. Callers match on
 * `code`, never on `message`; the codes are listed by the package that throws them.
 */
export class XrError<Code extends string = string> extends Error {
  override readonly name: string = 'XrError'
  readonly [brand] = true
  readonly code: Code
  readonly offset: number | undefined
  readonly record: number | undefined
  readonly hint: string | undefined

  constructor(code: Code, what: string, detail: ErrorDetail = {}) {
    super(what + place(detail), detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.offset = detail.offset
    this.record = detail.record
    this.hint = detail.hint
  }
}

/** Recognises an XrError of any copy of this package; `instanceof` knows only its own. */
export function isXrError(error: unknown): error is XrError {
  return typeof error === 'object' && error !== null && brand in error
}

function place({ offset, record }: ErrorDetail): string {
  const parts: string[] = []
  if (offset !== undefined) parts.push(`byte ${offset}`)
  if (record !== undefined) parts.push(`record ${record}`)
  return parts.length === 0 ? '' : ` (at ${parts.join(', ')})`
}
