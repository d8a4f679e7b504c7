import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { fstatSync } from 'node:fs'
import { streamFailed } from './stream-failed.ts'
import { fileSink } from './file-sink.ts'

/**
 * A sink over the descriptor of a stream, which it neither closes nor ends: libxl goes on writing to it. What it was given is with the system when
 * a write resolves.
 *
 * @param signal ends a write that waits for the other end; what was sent of it is unknown then.
 */
export async function openStreamSink(fd: number, signal: AbortSignalLike): Promise<ByteSink> {
  const found = stat(fd)
  if (!found.isFIFO() && !found.isSocket()) return fileSink(fd)
  const { pipeSink } = await import('./pipe-sink.ts') // most saves go to a file
  return pipeSink(fd, { reopen: found.isFIFO(), signal })
}

function stat(fd: number): ReturnType<typeof fstatSync> {
  try {
    return fstatSync(fd)
  } catch (cause) {
    throw streamFailed('written', cause)
  }
}
