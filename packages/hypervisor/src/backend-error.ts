import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of a backend means; `docs/errors.md` is made from it. */
export const backendCodes = {
  BACKEND_UNSUPPORTED: 'The hypervisor, or this guest on it, cannot do what was asked.',
  BACKEND_DENIED: 'The hypervisor refuses: privileges are missing.',
  BACKEND_NO_SUCH_DOMAIN: 'There is no domain of that id, name or UUID.',
  BACKEND_NAME_TAKEN: 'A domain of that name exists already.',
  BACKEND_MEMORY: 'The host has not enough memory, or the guest not the page asked for.',
  BACKEND_MAP: 'A page of the guest cannot be mapped.',
  BACKEND_PAGE_TABLE: 'The hypervisor refuses a page table of the guest.',
  BACKEND_LOG_DIRTY: 'Writes of the guest could not be tracked.',
  BACKEND_SUSPEND: 'The guest did not suspend but shut down, crashed or vanished.',
  BACKEND_SUSPEND_TIMEOUT: 'The guest did not answer the request to suspend.',
  BACKEND_CPU_STATE: 'State of a vCPU could not be read or was refused.',
  BACKEND_DEVICE_MODEL: 'The device model did not answer or refused.',
  BACKEND_STATE: 'The call does not fit the state the domain is in.',
  BACKEND_HOST: 'The state of the host could not be read or written.',
} as const

export type BackendErrorCode = keyof typeof backendCodes

/** The hypervisor said no, or something unexpected. */
export class BackendError extends XrError<BackendErrorCode> {
  override readonly name = 'BackendError'

  constructor(code: BackendErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
