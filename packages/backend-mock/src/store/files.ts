import { codeOf } from '@xen-replication/durable'
import { BackendError } from '@xen-replication/hypervisor'
import { readFileSync } from 'node:fs'

/** Says what a failed call of the file system means. */
export function hostError(what: string, cause: unknown): BackendError {
  return new BackendError('BACKEND_HOST', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, hint: 'the directory of the simulated host must be readable and writable' })
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
