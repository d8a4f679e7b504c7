import type { ByteReader, Summary } from '@xen-replication/format'
import type { OpenImage } from './open-image.ts'

/** What follows an image's END in a file. */
export interface TrailingBytes {
  readonly offset: number
  readonly bytes: number
  /** What it is known to be. */
  readonly what: 'the permission message of xl migrate' | 'zero bytes' | undefined
}

/** 44 bytes with its NUL. Source: xl_migrate.c. */
const PERMISSION = 'domain is yours, you are cleared to unpause\0'
const LOOK = 64 * 1024

/** @returns undefined when nothing follows, or when that cannot be told without waiting for a pipe. */
export async function trailingBytes({ size }: OpenImage, { end }: Summary, reader: ByteReader): Promise<TrailingBytes | undefined> {
  const { offset } = reader
  if (size === undefined || end.reason !== 'end' || size <= offset) return undefined
  return { offset, bytes: size - offset, what: nameOf(await reader.peek(LOOK), size - offset) }
}

function nameOf(first: Uint8Array, total: number): TrailingBytes['what'] {
  if (total === PERMISSION.length && Buffer.from(first).toString('latin1') === PERMISSION) return 'the permission message of xl migrate'
  return total === first.length && first.every((byte) => byte === 0) ? 'zero bytes' : undefined
}
