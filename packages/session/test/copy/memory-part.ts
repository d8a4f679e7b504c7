import type { PartStore } from '@xen-replication/session'

/** A part in memory, and what came of it. */
export class MemoryPart implements PartStore {
  part: Uint8Array | undefined
  noted: string | undefined
  whole: Uint8Array | undefined
  #end = 0

  notes(): Promise<string | undefined> {
    return Promise.resolve(this.noted)
  }

  open(length: number): Promise<number> {
    const part = (this.part ?? new Uint8Array(0)).slice(0, length)
    this.part = part
    this.#end = part.length
    return Promise.resolve(part.length)
  }

  read(at: number, max: number): Promise<Uint8Array | undefined> {
    const piece = this.part?.subarray(at, at + max)
    return Promise.resolve(piece === undefined || piece.length === 0 ? undefined : piece)
  }

  append(bytes: Uint8Array): Promise<void> {
    const before = this.part ?? new Uint8Array(0)
    const grown = new Uint8Array(this.#end + bytes.length)
    grown.set(before.subarray(0, this.#end))
    grown.set(bytes, this.#end)
    this.part = grown
    this.#end = grown.length
    return Promise.resolve()
  }

  note(notes: string): Promise<void> {
    this.noted = notes
    return Promise.resolve()
  }

  finish(): Promise<void> {
    this.whole = this.part
    this.part = undefined
    this.noted = undefined
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
