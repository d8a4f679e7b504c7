import type { ByteSource } from '@xen-replication/format'
import { constants, fstatSync, openSync, readSync } from 'node:fs'
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import { interrupted, throwIfInterrupted } from '../cli-error.ts'
import type { Descriptor } from './descriptor.ts'
import { fileError } from './file-error.ts'
import { Pace } from './pace.ts'

/** Holds what a pipe of the usual 64 KiB has, and stays in the processor's cache. */
const BUFFER_BYTES = 256 * 1024
/** Empty reads in a row before waiting: a writer at full speed fills the pipe again meanwhile, and waiting costs more than asking. */
const TRIES = 8

/**
 * Reads a pipe or a socket in order, without ever blocking the process. From a pipe it takes bytes with synchronous calls as long as there are
 * some; for more it waits in the event loop.
 */
export class PipeSource implements ByteSource {
  readonly #path: string
  readonly #signal: AbortSignal
  readonly #pace: Pace
  /** A pipe's descriptor that synchronous calls may use. */
  readonly #eager: number | undefined
  readonly #socket: Socket
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #ready = this.#buffer.subarray(0, 0)
  #arrived: ((got: number | Error) => void) | undefined
  /** Until its first writer comes, a pipe with a name reads as if it had ended. */
  #begun: boolean
  #ended = false
  /** `close()` closes the descriptor that was given, too. */
  readonly closesDescriptor: boolean

  constructor({ fd, named }: Pick<Descriptor, 'fd' | 'named'>, { path, signal }: { path: string; signal: AbortSignal }) {
    this.#path = path
    this.#signal = signal
    this.#pace = new Pace(signal)
    this.#eager = named ? fd : reopenNonBlocking(fd)
    this.#begun = !named
    this.#socket = this.#socketOver(this.#eager ?? fd)
    this.closesDescriptor = named || this.#eager === undefined
  }

  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#ready.length > 0) return this.#give(max)
    if (this.#ended) return undefined
    if (this.#pace.due) return this.#pace.rest().then(() => this.read(max))
    const got = this.#begun && this.#eager !== undefined ? this.#tryRead(this.#eager) : undefined
    return got === undefined ? this.#arrival().then((bytes) => this.#took(bytes, max)) : this.#took(got, max)
  }

  close(): void {
    this.#socket.destroy()
  }

  #socketOver(fd: number): Socket {
    const callback = (got: number): boolean => {
      this.#arrived?.(got)
      return false // no more until asked
    }
    const options: SocketConstructorOpts & ConnectOpts = { fd, readable: true, writable: false, onread: { buffer: this.#buffer, callback } }
    const socket = new Socket(options)
    socket.pause()
    socket.on('end', () => this.#arrived?.(0))
    socket.on('error', (error) => this.#arrived?.(error))
    return socket
  }

  #give(max: number): Uint8Array {
    const bytes = this.#ready.subarray(0, max)
    this.#ready = this.#ready.subarray(bytes.length)
    return bytes
  }

  #took(got: number, max: number): Uint8Array | undefined {
    this.#ended = got === 0
    this.#ready = this.#buffer.subarray(0, got)
    return this.#ended ? undefined : this.#give(max)
  }

  /** @returns bytes read, 0 at the end, undefined when none wait. */
  #tryRead(fd: number): number | undefined {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0 // "none wait" comes as an error, and often
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        const got = readOrNone(fd, this.#buffer)
        if (got !== undefined) return got
      }
      return undefined
    } catch (error) {
      throw fileError(error, this.#path)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  /** Waits for bytes to come into the buffer. @returns how many, 0 at the end. */
  async #arrival(): Promise<number> {
    throwIfInterrupted(this.#signal)
    const got = await new Promise<number | Error>((resolve) => {
      const stop = (): void => resolve(interrupted())
      this.#signal.addEventListener('abort', stop, { once: true })
      this.#arrived = (news) => {
        this.#signal.removeEventListener('abort', stop)
        resolve(news)
      }
      this.#socket.resume()
    })
    this.#arrived = undefined
    this.#begun = true
    if (got instanceof Error) throw fileError(got, this.#path)
    return got
  }
}

function readOrNone(fd: number, buffer: Uint8Array): number | undefined {
  try {
    return readSync(fd, buffer, 0, buffer.length, null)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}

/** A second, non-blocking way to the same pipe; the first stays as it is, because others may share it. Linux only, pipes only. */
function reopenNonBlocking(fd: number): number | undefined {
  if (!fstatSync(fd).isFIFO()) return undefined
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined // no /proc, or a pipe of another user
  }
}
