import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of QMP means; `docs/errors.md` is made from it. */
export const qmpCodes = {
  QMP_REFUSED: 'QEMU refused a command and said why.',
  QMP_LOST: 'The QEMU at the other end of a QMP link is gone, or nobody listens there.',
  QMP_TIMEOUT: 'QEMU did not answer in time: its main loop may be stuck.',
  QMP_MALFORMED: 'What came over a QMP link is no QMP.',
  QMP_CLOSED: 'The link was closed on this side and then used again.',
} as const

export type QmpErrorCode = keyof typeof qmpCodes

/** A QEMU could not be asked, or did not do what it was asked. */
export class QmpError extends XrError<QmpErrorCode> {
  override readonly name = 'QmpError'
  /** Of QMP_REFUSED: `GenericError`, `CommandNotFound` and the like. */
  readonly errorClass: string | undefined

  constructor(code: QmpErrorCode, what: string, { errorClass, ...detail }: ErrorDetail & { readonly errorClass?: string } = {}) {
    super(code, what, detail)
    this.errorClass = errorClass
  }
}
