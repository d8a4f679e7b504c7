/** Buffers that nobody uses and that are kept with what is in them. */
const IDLE_MOST = 4

/** Of chunks that are lent. */
export interface Lender {
  readonly bytes: number
  /** Fills `into` with a chunk. @returns false, and leaves it alone, when that never held anything but zeros */
  read(chunk: number, into: Uint8Array): boolean
  /** Nobody looks at the chunk any more. @returns whether its buffer may be used for another one; otherwise it belongs to the caller */
  letGo(chunk: number, bytes: Uint8Array): boolean
}

interface Lent {
  readonly bytes: Uint8Array
  users: number
}

/**
 * Chunks that are in memory only while somebody looks at them. Their buffers are used again and again: memory that a process
 * has never touched before is many times slower than memory that it has.
 */
export class LentChunks {
  readonly #lender: Lender
  /** By number, those that were given back longest ago first among the idle. */
  readonly #lent = new Map<number, Lent>()
  readonly #free: Uint8Array[] = []
  #idle = 0

  constructor(lender: Lender) {
    this.#lender = lender
  }

  /** The chunk's bytes, until they are given back. */
  take(chunk: number): Uint8Array {
    const known = this.#lent.get(chunk)
    if (known === undefined) return this.#load(chunk)
    if (known.users === 0) this.#idle -= 1
    known.users += 1
    return known.bytes
  }

  /** As often as it was taken; nothing happens for a chunk that was removed. */
  giveBack(chunk: number): void {
    const known = this.#lent.get(chunk)
    if (known === undefined) return
    known.users -= 1
    if (known.users > 0) return
    this.#idle += 1
    this.#lent.delete(chunk)
    this.#lent.set(chunk, known)
    if (this.#idle > IDLE_MOST) this.#letOneGo()
  }

  /** The chunk's bytes if it is here. */
  peek(chunk: number): Uint8Array | undefined {
    return this.#lent.get(chunk)?.bytes
  }

  /** Hands the chunk's bytes over for good, if it is here; who looks at them goes on doing so. */
  remove(chunk: number): Uint8Array | undefined {
    const known = this.#lent.get(chunk)
    if (known === undefined) return undefined
    if (known.users === 0) this.#idle -= 1
    this.#lent.delete(chunk)
    return known.bytes
  }

  #load(chunk: number): Uint8Array {
    const bytes = this.#free.pop() ?? new Uint8Array(this.#lender.bytes)
    if (!this.#lender.read(chunk, bytes)) bytes.fill(0)
    this.#lent.set(chunk, { bytes, users: 1 })
    return bytes
  }

  #letOneGo(): void {
    for (const [chunk, { bytes, users }] of this.#lent) {
      if (users > 0) continue
      this.#lent.delete(chunk)
      this.#idle -= 1
      if (this.#lender.letGo(chunk, bytes)) this.#free.push(bytes)
      return
    }
  }
}
