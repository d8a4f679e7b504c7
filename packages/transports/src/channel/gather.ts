/** Bytes of one write to a socket. Source: measured; 1 MiB is within a few per cent of the best from 256 KiB to 4 MiB. */
export const BLOCK_BYTES = 1024 * 1024
/** A part from this size on is written from where it lies. */
const DIRECT_BYTES = 256 * 1024

/** Sends bytes in order; they are left alone until it resolves. */
export type Send = (bytes: Uint8Array) => Promise<void>

/**
 * Makes few large writes of many small ones. While one block is on its way the next is filled; what is there when the way is free goes at once,
 * so nothing waits for a block to fill up.
 */
export class Gather {
  readonly #send: Send
  #filling: Uint8Array = new Uint8Array(0)
  #spare: Uint8Array | undefined
  #filled = 0
  #flight: Promise<void> | undefined
  #failed: unknown

  constructor(send: Send) {
    this.#send = send
  }

  /** Resolves when the parts may be reused: they are copied, or sent. @throws what `send` threw, then and from then on */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      if (part.length >= DIRECT_BYTES) await this.#direct(part)
      else if (!this.#copy(part)) await this.#copySlowly(part)
    }
    this.#requireWhole()
    this.#launch()
  }

  /** Resolves when all of it is sent. */
  async flush(): Promise<void> {
    this.#requireWhole()
    this.#launch()
    while (this.#flight !== undefined) await this.#flight
    this.#requireWhole()
  }

  /** Refuses everything from now on; the first reason counts. */
  fail(error: unknown): void {
    this.#failed ??= error
    this.#filled = 0
  }

  /** @returns false, and copies nothing, when there is not enough room now. */
  #copy(part: Uint8Array): boolean {
    if (this.#filled + part.length > this.#filling.length) return false
    this.#filling.set(part, this.#filled)
    this.#filled += part.length
    return true
  }

  async #copySlowly(part: Uint8Array): Promise<void> {
    for (let at = 0; at < part.length; ) {
      if (this.#filled === this.#filling.length) await this.#makeRoom()
      const piece = part.subarray(at, at + this.#filling.length - this.#filled)
      this.#copy(piece)
      at += piece.length
    }
  }

  async #makeRoom(): Promise<void> {
    if (this.#filling.length === 0) {
      this.#filling = new Uint8Array(BLOCK_BYTES)
      return
    }
    while (this.#filled === this.#filling.length) {
      this.#requireWhole()
      this.#launch()
      if (this.#filled === this.#filling.length) await this.#flight
    }
  }

  async #direct(part: Uint8Array): Promise<void> {
    await this.flush()
    this.#fly(part)
    await this.flush()
  }

  #launch(): void {
    if (this.#flight !== undefined || this.#filled === 0) return
    const block = this.#filling
    const bytes = block.subarray(0, this.#filled)
    this.#filling = this.#spare ?? new Uint8Array(BLOCK_BYTES)
    this.#spare = block
    this.#filled = 0
    this.#fly(bytes)
  }

  #fly(bytes: Uint8Array): void {
    this.#flight = this.#send(bytes)
      .catch((error: unknown) => this.fail(error))
      .then(() => {
        this.#flight = undefined
        this.#launch()
      })
  }

  #requireWhole(): void {
    if (this.#failed !== undefined) throw this.#failed as Error
  }
}
