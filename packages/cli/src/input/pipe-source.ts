import type { ByteSource } from '@xen-replication/format'
import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { interrupted, throwIfInterrupted } from '../cli-error.ts'
import { fileError } from './file-error.ts'
import { Pace } from './pace.ts'

const BUFFER_BYTES = 1024 * 1024
/** Only for a descriptor that somebody else made non-blocking. */
const RETRY_MS = 2

/**
 * Reads a pipe, a socket or a device in order. While bytes wait in a pipe it takes them with synchronous calls; when there are none, one read on
 * another thread waits for more.
 */
export class PipeSource implements ByteSource {
  readonly #fd: number
  readonly #path: string
  readonly #signal: AbortSignal
  readonly #pace: Pace
  readonly #eager: number | undefined
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #ready: Uint8Array = this.#buffer.subarray(0, 0)

  constructor(fd: number, { path, signal }: { path: string; signal: AbortSignal }) {
    this.#fd = fd
    this.#path = path
    this.#signal = signal
    this.#pace = new Pace(signal)
    this.#eager = reopenNonBlocking(fd)
  }

  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#ready.length > 0) return this.#give(max)
    if (this.#eager === undefined || this.#pace.due) return this.#waited(max)
    const got = this.#tryRead(this.#eager)
    return got === undefined ? this.#waited(max) : this.#took(got, max)
  }

  close(): void {
    if (this.#eager !== undefined) closeSync(this.#eager)
  }

  #give(max: number): Uint8Array {
    const bytes = this.#ready.subarray(0, max)
    this.#ready = this.#ready.subarray(bytes.length)
    return bytes
  }

  #took(got: number, max: number): Uint8Array | undefined {
    if (got === 0) return undefined
    this.#ready = this.#buffer.subarray(0, got)
    return this.#give(max)
  }

  /** @returns bytes read, 0 at the end, undefined when none wait. */
  #tryRead(fd: number): number | undefined {
    try {
      return readSync(fd, this.#buffer, 0, BUFFER_BYTES, null)
    } catch (error) {
      if (isAgain(error)) return undefined
      throw fileError(error, this.#path)
    }
  }

  async #waited(max: number): Promise<Uint8Array | undefined> {
    if (this.#pace.due) await this.#pace.rest()
    for (;;) {
      throwIfInterrupted(this.#signal)
      const got = await this.#blockingRead()
      if (got !== undefined) return this.#took(got, max)
      await setTimeout(RETRY_MS)
    }
  }

  #blockingRead(): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(interrupted())
      this.#signal.addEventListener('abort', stop, { once: true })
      read(this.#fd, this.#buffer, 0, BUFFER_BYTES, null, (error, got) => {
        this.#signal.removeEventListener('abort', stop)
        if (error === null) resolve(got)
        else if (isAgain(error)) resolve(undefined)
        else reject(fileError(error, this.#path) as Error)
      })
    })
  }
}

const isAgain = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EAGAIN'

/** A second, non-blocking way to the same pipe; the first stays as it is, because others may share it. Linux only, pipes only. */
function reopenNonBlocking(fd: number): number | undefined {
  if (!fstatSync(fd).isFIFO()) return undefined
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined // no /proc, or a pipe of another user
  }
}
