import { LIBXC_BODY_MAX, paddingOf, recordHead, xcRecordName } from '@xen-replication/format'
import { SaveError } from './save-error.ts'

/**
 * A record in the pieces that it is made of; the body is not copied.
 *
 * @throws SaveError SAVE_TOO_LARGE for a body that no restorer accepts.
 */
export function recordParts(type: number, ...body: readonly Uint8Array[]): Uint8Array[] {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  if (length > LIBXC_BODY_MAX) {
    throw new SaveError('SAVE_TOO_LARGE', `${xcRecordName(type) ?? type}: ${length} bytes, the format allows ${LIBXC_BODY_MAX}`)
  }
  return [recordHead(type, length), ...body, new Uint8Array(paddingOf(length))].filter((part) => part.length > 0)
}
