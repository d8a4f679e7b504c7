import { recordHead, type ByteSource } from '@xen-replication/format'
import { recordSize, type RecordHead } from './record-head.ts'
import { hex, RestoreError, type StreamPlace } from './restore-error.ts'

const CHUNK = 1 << 20

/** Where the records held begin in their stream, as a reader of them has to count. */
export interface HeldStart extends StreamPlace {
  readonly record: number
}

/**
 * The records of a checkpoint until it is known to be complete: their bytes as they came, in chunks that serve for every
 * checkpoint. Memory is what the largest of the last two checkpoints took.
 */
export class HeldRecords {
  readonly limit: number
  #chunks: Uint8Array[] = []
  #bytes = 0
  #records = 0
  #start: HeldStart | undefined

  /** @param limit in bytes, heads included. */
  constructor(limit: number) {
    this.limit = limit
  }

  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#records
  }

  /** Place of the first; undefined when nothing is held. */
  get start(): HeldStart | undefined {
    return this.#start
  }

  /**
   * Begins a record; its body and padding are to follow by `add()`.
   *
   * @throws RestoreError RESTORE_HELD_LIMIT before any of it is read.
   */
  begin(head: RecordHead): void {
    const { limit } = this
    if (this.#bytes + recordSize(head) > limit) {
      const { offset, record } = head
      throw new RestoreError('RESTORE_HELD_LIMIT', `a checkpoint with more than ${limit} bytes (${hex(limit)}) came`, {
        offset,
        record,
        hint: 'allow more bytes to be held, or take checkpoints more often, so that each is smaller',
      })
    }
    this.#start ??= { offset: head.offset, record: head.record }
    this.#records++
    this.add(recordHead(head.type, head.length))
  }

  /** Copies the bytes that follow. */
  add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const at = this.#bytes % CHUNK
      const chunk = (this.#chunks[Math.floor(this.#bytes / CHUNK)] ??= new Uint8Array(CHUNK))
      const part = bytes.subarray(from, from + CHUNK - at)
      chunk.set(part, at)
      from += part.length
      this.#bytes += part.length
    }
  }

  /** What is held, from its first byte. Not to be used after `clear()`. */
  source(): ByteSource {
    let at = 0
    return {
      read: (max) => {
        const chunk = this.#chunks[Math.floor(at / CHUNK)]
        const from = at % CHUNK
        const size = Math.min(max, CHUNK - from, this.#bytes - at)
        at += size
        return size === 0 ? undefined : chunk?.subarray(from, from + size)
      },
    }
  }

  /** Forgets all of it; keeps the memory for as much again. */
  clear(): void {
    this.#chunks = this.#chunks.slice(0, Math.ceil(this.#bytes / CHUNK))
    this.#bytes = 0
    this.#records = 0
    this.#start = undefined
  }
}
