/** Bytes held before the sender is asked to wait, and how few are left when it may go on. */
const FULL_BYTES = 1024 * 1024
const LOW_BYTES = 512 * 1024

interface Waiting {
  readonly max: number
  resolve(bytes: Uint8Array | undefined): void
  reject(error: Error): void
}

/** Who is asked to stop and go on sending. */
export interface Faucet {
  pause(): void
  resume(): void
}

/** Bytes that have come and not been read. It gives no more than it is asked for, and what came before a failure is given first. */
export class Inbox {
  readonly #faucet: Faucet
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #paused = false
  #waiting: Waiting | undefined
  #over: { readonly error: Error | undefined } | undefined

  constructor(faucet: Faucet) {
    this.#faucet = faucet
  }

  read(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#bytes > 0) return this.#take(max)
    if (this.#over === undefined) return new Promise((resolve, reject) => (this.#waiting = { max, resolve, reject }))
    if (this.#over.error === undefined) return undefined
    return Promise.reject(this.#over.error)
  }

  push(chunk: Uint8Array): void {
    if (this.#over !== undefined || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(this.#take(waiting.max))
    if (this.#bytes < FULL_BYTES || this.#paused) return
    this.#paused = true
    this.#faucet.pause()
  }

  /** No more will come, for a reason or because all has. Only the first call counts. */
  finish(error?: Error): void {
    if (this.#over !== undefined) return
    this.#over = { error }
    const waiting = this.#waiting
    this.#waiting = undefined
    if (error === undefined) waiting?.resolve(undefined)
    else waiting?.reject(error)
  }

  /** Throws everything away; reads fail. */
  discard(error: Error): void {
    this.#chunks.length = 0
    this.#bytes = 0
    this.finish(error)
    this.#over = { error }
  }

  #take(max: number): Uint8Array {
    const chunk = this.#chunks[0] as Uint8Array
    const bytes = chunk.subarray(0, max)
    if (bytes.length === chunk.length) this.#chunks.shift()
    else this.#chunks[0] = chunk.subarray(max)
    this.#bytes -= bytes.length
    if (this.#paused && this.#bytes <= LOW_BYTES) {
      this.#paused = false
      this.#faucet.resume()
    }
    return bytes
  }
}
