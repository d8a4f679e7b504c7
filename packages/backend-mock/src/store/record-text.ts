import { BackendError } from '@xen-replication/hypervisor'
import type { GuestRecord } from '../guest/record.ts'

/** What a guest's `record.json` holds. */
export interface RecordFile {
  readonly format: 'xr-mock-guest'
  readonly version: 1
  readonly record: GuestRecord
  /** Chunks of memory that hold something; the others are zeros. */
  readonly chunks: readonly number[]
}

/** A record as text: JSON, with bytes as `{"$bytes": base64}` and large numbers as `{"$int": "…"}`. */
export function textOf(file: RecordFile): string {
  return JSON.stringify(file, (_, value: unknown) => {
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
    return typeof value === 'bigint' ? { $int: value.toString() } : value
  })
}

/** @throws BackendError BACKEND_HOST */
export function recordIn(text: string, path: string): RecordFile {
  return jsonIn(text, path, 'xr-mock-guest', 1) as unknown as RecordFile
}

/** Reads JSON that says what it is. @throws BackendError BACKEND_HOST */
export function jsonIn(text: string, path: string, format: string, version: number): Readonly<Record<string, unknown>> {
  const json = parse(text, path)
  if (json === null || typeof json !== 'object' || !('format' in json) || json.format !== format) throw new BackendError('BACKEND_HOST', `${path} is not what a simulated host writes there`)
  if (!('version' in json) || json.version !== version) {
    throw new BackendError('BACKEND_HOST', `${path} was written by another version of this program`, { hint: 'use that version, or another directory' })
  }
  return json
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text, (_, value: unknown) => {
      if (value === null) return undefined // an absent item of a list
      if (typeof value !== 'object') return value
      if ('$bytes' in value) return Uint8Array.from(Buffer.from(String(value.$bytes), 'base64'))
      return '$int' in value ? BigInt(String(value.$int)) : value
    })
  } catch (cause) {
    throw new BackendError('BACKEND_HOST', `${path} is damaged: ${(cause as Error).message}`, { cause })
  }
}
