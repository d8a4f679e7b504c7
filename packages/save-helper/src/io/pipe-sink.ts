import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/hypervisor'
import { constants, openSync, writevSync } from 'node:fs'
import { Socket } from 'node:net'
import { remaining } from './remaining.ts'
import { streamFailed } from './stream-failed.ts'

export interface PipeSinkOptions {
  /** Whether it can be opened once more, to wait for it without changing how others who share it wait. */
  readonly reopen: boolean
  readonly signal: AbortSignalLike
}

/** Writes to a pipe or socket without blocking the process, so that it sees signals while the other end does not read. */
export function pipeSink(fd: number, { reopen, signal }: PipeSinkOptions): ByteSink {
  const own = reopen ? openAgain(fd) : fd
  const socket = new Socket({ fd: own, readable: false, writable: true })
  let failed: Error | undefined
  socket.on('error', (error) => (failed ??= error))
  return {
    write: async (parts) => {
      try {
        if (failed !== undefined) throw failed
        const left = writeNow(own, parts)
        if (left.length > 0) await writeLater(socket, left, signal)
      } catch (cause) {
        throw streamFailed('written', cause)
      }
    },
  }
}

function openAgain(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return fd // no /proc, or a pipe of another user
  }
}

/** Writes what there is room for. @returns what remains */
function writeNow(fd: number, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  let left = remaining(parts, 0)
  try {
    while (left.length > 0) left = remaining(left, writevSync(fd, left))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
  return left
}

function writeLater(socket: Socket, parts: readonly Uint8Array[], signal: AbortSignalLike): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('called off'))
    const done = (error?: Error | null): void => {
      signal.removeEventListener('abort', stop)
      if (error == null) resolve()
      else reject(error)
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    socket.cork()
    const last = parts.length - 1
    parts.forEach((part, i) => (i === last ? socket.write(part, done) : socket.write(part)))
    socket.uncork()
    return undefined
  })
}
