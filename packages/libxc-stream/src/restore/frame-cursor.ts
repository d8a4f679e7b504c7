import type { MappedFrames } from '@xen-replication/hypervisor'

/** A way through mapped frames from their first byte to their last, whether they lie side by side or not. */
export class FrameCursor {
  readonly #views: readonly Uint8Array[]
  #view = 0
  #at = 0

  constructor({ views }: MappedFrames) {
    this.#views = views
  }

  /** Writes the next bytes. */
  put(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const room = this.#next(bytes.length - from)
      room.set(bytes.subarray(from, from + room.length))
      from += room.length
    }
  }

  /** Passes over as many bytes. @returns whether all of them were the same. */
  matches(bytes: Uint8Array): boolean {
    let same = true
    for (let from = 0; from < bytes.length; ) {
      const there = this.#next(bytes.length - from)
      for (let i = 0; same && i < there.length; i++) same = there[i] === bytes[from + i]
      from += there.length
    }
    return same
  }

  /** The next bytes that lie side by side, `max` at most. */
  #next(max: number): Uint8Array {
    const view = this.#views[this.#view] as Uint8Array
    const part = view.subarray(this.#at, this.#at + max)
    this.#at += part.length
    if (this.#at === view.length) {
      this.#view++
      this.#at = 0
    }
    return part
  }
}
