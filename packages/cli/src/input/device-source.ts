import type { ByteSource } from '@xen-replication/format'
import { read } from 'node:fs'
import { promisify } from 'node:util'
import { throwIfInterrupted } from '../cli-error.ts'
import { fileError } from './file-error.ts'

const BUFFER_BYTES = 1024 * 1024
const readAsync = promisify(read)

/** Reads a device that is neither a disk nor a terminal, a tape for example, in order. */
export function deviceSource(fd: number, { path, signal }: { path: string; signal: AbortSignal }): ByteSource {
  const buffer = new Uint8Array(BUFFER_BYTES)
  let ready: Uint8Array = buffer.subarray(0, 0)
  const give = (max: number): Uint8Array => {
    const bytes = ready.subarray(0, max)
    ready = ready.subarray(bytes.length)
    return bytes
  }
  const fill = async (max: number): Promise<Uint8Array | undefined> => {
    throwIfInterrupted(signal)
    try {
      const { bytesRead } = await readAsync(fd, buffer, 0, BUFFER_BYTES, null)
      ready = buffer.subarray(0, bytesRead)
    } catch (error) {
      throw fileError(error, path)
    }
    return ready.length === 0 ? undefined : give(max)
  }
  return { read: (max) => (ready.length > 0 ? give(max) : fill(max)) }
}
