import { LIBXC_BODY_MAX, paddingOf, recordHead } from '@xen-replication/format'
import { hex, SaveError } from './save-error.ts'

/**
 * A record in the pieces that it is made of; the body is not copied.
 *
 * @throws SaveError SAVE_TOO_LARGE for a body that no restorer accepts.
 */
export function recordParts(type: number, ...body: readonly Uint8Array[]): Uint8Array[] {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  if (length > LIBXC_BODY_MAX) {
    throw new SaveError('SAVE_TOO_LARGE', `a record of type ${hex(type)} would have ${length} bytes, the format allows ${LIBXC_BODY_MAX}`)
  }
  return [recordHead(type, length), ...body, new Uint8Array(paddingOf(length))].filter((part) => part.length > 0)
}
