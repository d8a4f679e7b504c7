import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of an observer means; `docs/errors.md` is made from it. */
export const observerCodes = {
  OBSERVER_REPORT: 'The page about what happened cannot be written.',
  OBSERVER_METRICS: 'Metrics cannot be served at the address that was named.',
  OBSERVER_TRACES: 'Spans were asked for and the OpenTelemetry API is not installed.',
} as const

export type ObserverErrorCode = keyof typeof observerCodes

/** Nobody can look on as was asked for; said before a guest is touched. */
export class ObserverError extends XrError<ObserverErrorCode> {
  override readonly name = 'ObserverError'

  constructor(code: ObserverErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
