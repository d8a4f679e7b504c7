import { BackendError, type BackendErrorCode } from '@xen-replication/hypervisor'
import { ERRNO, errnoName } from './errno.ts'

/**
 * What to throw when the hypervisor refused a call about a domain. Missing privileges and missing domains have codes of their own.
 *
 * @param errno above zero.
 */
export function refused(code: BackendErrorCode, what: string, errno: number, hint?: string): BackendError {
  const name = errnoName(errno)
  if (errno === ERRNO.EPERM || errno === ERRNO.EACCES) return new BackendError('BACKEND_DENIED', `${what}: ${name}`, { hint: 'run xr as root in the control domain' })
  if (errno === ERRNO.ESRCH) return new BackendError('BACKEND_NO_SUCH_DOMAIN', `${what}: there is no such domain any more`)
  return new BackendError(code, `${what}: ${name}`, hint === undefined ? {} : { hint })
}
