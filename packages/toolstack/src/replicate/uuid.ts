import { fromHex, toHex } from '@xen-replication/format'
import { ToolstackError } from '../toolstack-error.ts'

const GROUPS = [8, 4, 4, 4, 12] as const

const BYTES = 16

/** The 16 bytes of a UUID. @throws ToolstackError TOOL_GUEST when it is none */
export function bytesOfUuid(uuid: string): Uint8Array {
  const bytes = fromHex(uuid.replaceAll('-', '').toLowerCase())
  if (bytes?.length === BYTES) return bytes
  throw new ToolstackError('TOOL_GUEST', `the guest has no UUID: '${uuid}'`, { hint: 'the arbiter knows guests by it' })
}

/** A UUID as it is written. */
export function uuidOfBytes(bytes: Uint8Array): string {
  const hex = toHex(bytes)
  let at = 0
  return GROUPS.map((length) => hex.slice(at, (at += length))).join('-')
}
