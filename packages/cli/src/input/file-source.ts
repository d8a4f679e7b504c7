import type { ByteSource } from '@xen-replication/format'
import { readSync } from 'node:fs'
import type { Descriptor } from './descriptor.ts'
import { fileError } from './file-error.ts'
import { Pace } from './pace.ts'

/** For headers, record heads and page tables: the head of a PAGE_DATA record, its 1024 entries and the next head fit in. */
const SMALL_BYTES = 8704
/** For what is read on without a gap, page contents above all: few calls, and it stays in the processor's cache. */
const LARGE_BYTES = 256 * 1024

/** Reads a file or a disk in order with synchronous calls, and passes over what nobody wants without reading it. */
export class FileSource implements ByteSource {
  readonly #file: Pick<Descriptor, 'fd' | 'size'>
  readonly #path: string
  readonly #pace: Pace
  readonly #small = new Uint8Array(SMALL_BYTES)
  #large: Uint8Array | undefined
  #ready: Uint8Array = this.#small.subarray(0, 0)
  #position: number
  #size = 0
  /** Nothing was passed over since the last read of the file. */
  #onward = false

  /** @param position where in the file to begin, in bytes. */
  constructor(file: Pick<Descriptor, 'fd' | 'size'>, { path, signal, position = 0 }: { path: string; signal: AbortSignal; position?: number }) {
    this.#file = file
    this.#path = path
    this.#pace = new Pace(signal)
    this.#position = position
  }

  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#ready.length > 0) return this.#give(max)
    return this.#pace.due ? this.#pace.rest().then(() => this.#fill(max)) : this.#fill(max)
  }

  skip(count: number): number {
    if (count <= this.#ready.length) {
      this.#ready = this.#ready.subarray(count)
      return count
    }
    const buffered = this.#ready.length
    this.#ready = this.#ready.subarray(buffered)
    const wanted = count - buffered
    if (this.#position + wanted > this.#size) this.#size = this.#file.size() // it may be growing
    const there = Math.max(0, Math.min(wanted, this.#size - this.#position))
    this.#position += there
    this.#onward = false
    return buffered + there
  }

  #give(max: number): Uint8Array {
    const bytes = this.#ready.subarray(0, max)
    this.#ready = this.#ready.subarray(bytes.length)
    return bytes
  }

  #fill(max: number): Uint8Array | undefined {
    const buffer = this.#onward || max > SMALL_BYTES ? (this.#large ??= new Uint8Array(LARGE_BYTES)) : this.#small
    this.#onward = true
    let got: number
    try {
      got = readSync(this.#file.fd, buffer, 0, buffer.length, this.#position)
    } catch (error) {
      throw fileError(error, this.#path)
    }
    this.#position += got
    if (got === 0) return undefined
    this.#ready = buffer.subarray(0, got)
    return this.#give(max)
  }
}
