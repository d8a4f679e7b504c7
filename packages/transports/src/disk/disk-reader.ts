import type { Channel } from '@xen-replication/plugin-api'
import { closedHere, failure, oneWay } from '../channel/link-failure.ts'
import { readSome } from './disk-io.ts'

/** Bytes asked of the disk at a time. */
const BUFFER_BYTES = 1024 * 1024

/** A channel out of a file or device: to be read, in order. */
export class DiskReader implements Channel {
  readonly #fd: number
  readonly #where: string
  readonly #release: () => Promise<void>
  #buffer: Uint8Array | undefined
  #ready: Uint8Array = new Uint8Array(0)
  #ended = false
  #busy: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @param release closes the descriptor where it is ours to close. */
  constructor(fd: number, where: string, release: () => Promise<void>) {
    this.#fd = fd
    this.#where = where
    this.#release = release
  }

  write(): Promise<void> {
    return Promise.reject(oneWay(this.#where, 'write'))
  }

  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#closing !== undefined) return Promise.reject(closedHere(this.#where))
    if (this.#ready.length > 0) return this.#give(max)
    return this.#ended ? undefined : this.#refill().then((more) => (more ? this.#give(max) : undefined))
  }

  end(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#busy.then(() => this.#release()))
  }

  #give(max: number): Uint8Array {
    const bytes = this.#ready.subarray(0, max)
    this.#ready = this.#ready.subarray(bytes.length)
    return bytes
  }

  async #refill(): Promise<boolean> {
    this.#buffer ??= new Uint8Array(BUFFER_BYTES)
    const reading = readSome(this.#fd, this.#buffer)
    this.#busy = reading.catch(() => undefined) // the descriptor must not be closed, and given to another file, under a call
    const got = await reading.catch((error: unknown) => {
      throw failure(error, this.#where)
    })
    if (this.#closing !== undefined) throw closedHere(this.#where)
    this.#ready = this.#buffer.subarray(0, got)
    this.#ended = got === 0
    return !this.#ended
  }
}
