import { BackendError } from '@xen-replication/hypervisor'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Says what a failed call of the file system means. */
export function hostError(what: string, cause: unknown): BackendError {
  return new BackendError('BACKEND_HOST', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, hint: 'the directory of the simulated host must be readable and writable' })
}

/** The code of a failed call: ENOENT and so on. */
export const codeOf = (error: unknown): string | undefined => (error instanceof Error && 'code' in error ? String(error.code) : undefined)

/** Writes a file as a whole or not at all; it has reached the disk when this returns. */
export function writeWhole(path: string, bytes: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.new`
  const file = openSync(temporary, 'w')
  try {
    writeAll(file, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes, 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/** Writes all bytes at `position`. */
export function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done)
}

/** Makes names that were given or taken in a directory last. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Text of a file; undefined when there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw hostError(`${path} cannot be read`, error)
  }
}
