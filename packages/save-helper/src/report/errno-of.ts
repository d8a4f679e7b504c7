import { isXrError } from '@xen-replication/errors'
import { constants } from 'node:os'

/** EIO: what is said when the system has not told more. */
const UNKNOWN = constants.errno.EIO

/** The error number of the system that belongs to an error, or to what caused it: libxl prints it. */
export function errnoOf(error: unknown): number {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    const known = code === undefined ? undefined : (constants.errno as Readonly<Record<string, number>>)[code]
    if (known !== undefined) return known
    if (isXrError(at) && code === 'SAVE_ABORTED') return constants.errno.EINTR
  }
  return UNKNOWN
}
