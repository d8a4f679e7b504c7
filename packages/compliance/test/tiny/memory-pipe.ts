import { LinkError, type Channel } from '@xen-replication/plugin-api'

const ROOM = 4 * 1024 * 1024
const closedHere = (): LinkError => new LinkError('LINK_CLOSED', 'closed here')
const gone = (): LinkError => new LinkError('LINK_LOST', 'the peer is gone')

/** Bytes on their way from one end to the other, with everything that a bad link may do to them. */
export class MemoryPipe {
  readonly #fault: string
  #chunks: Uint8Array[] = []
  #bytes = 0
  #state: 'open' | 'ended' | 'broken' = 'open'
  #readerGone = false
  #wake: (() => void)[] = []
  #puts = 0

  constructor(fault: string) {
    this.#fault = fault
  }

  async write(parts: readonly Uint8Array[], closed: () => boolean): Promise<void> {
    const list = this.#is('parts-reversed') ? parts.toReversed() : parts
    for (const part of list) {
      if (part.length === 0 && this.#is('empty-fails')) throw gone()
      if (this.#readerGone && !this.#is('loss-unseen')) throw gone()
      if (part.length > 0) await this.#put(this.#is('keeps-parts') ? part : part.slice(), closed)
    }
  }

  async read(max: number, closed: () => boolean): Promise<Uint8Array | undefined> {
    for (;;) {
      if (closed() && !this.#is('read-hangs')) throw closedHere()
      const chunk = this.#chunks[0]
      if (chunk !== undefined && !(this.#is('waits-for-much') && this.#bytes < 100 && this.#state === 'open')) return this.#give(chunk, max)
      if (this.#state === 'ended') return this.#is('end-then-lost') ? this.#endOnce() : undefined
      if (this.#state === 'broken') throw gone()
      await this.#news()
    }
  }

  finish(how: 'ended' | 'broken'): void {
    if (this.#state === 'open') this.#state = how
    this.wake()
  }

  leave(): void {
    this.#readerGone = true
    this.wake()
  }

  wake(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  #is(fault: string): boolean {
    return this.#fault === fault
  }

  async #put(part: Uint8Array, closed: () => boolean): Promise<void> {
    if (++this.#puts > 2500 && this.#is('drops-late')) return
    this.#chunks.push(this.#is('drops-crumbs') && part.length === 1 ? new Uint8Array(0) : this.#is('cuts-long') ? part.subarray(0, 8_000_000) : this.#is('mixes-sizes') && part.length === 300 * 1024 ? part.toReversed() : part)
    if (this.#is('swaps') && this.#chunks.length > 2) this.#chunks.push(...this.#chunks.splice(-2).toReversed())
    this.#bytes += part.length
    this.wake()
    while (this.#bytes > ROOM && !this.#is('no-limit') && !this.#readerGone) {
      if (closed()) {
        if (this.#is('write-hangs')) await new Promise(() => undefined)
        throw closedHere()
      }
      await this.#news()
    }
    if (this.#is('sticks') && this.#bytes > 2_000_000) await new Promise(() => undefined)
  }

  #give(chunk: Uint8Array, max: number): Uint8Array {
    const bytes = this.#is('gives-more') ? chunk : chunk.subarray(0, max)
    if (bytes.length >= chunk.length || this.#is('loses-rest')) this.#chunks.shift()
    else this.#chunks[0] = chunk.subarray(bytes.length)
    this.#bytes -= bytes.length
    if (this.#bytes <= ROOM) this.wake()
    return bytes
  }

  #endOnce(): undefined {
    this.#state = 'broken'
    return undefined
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve))
  }
}

/** One end of a link in memory. */
export function endOf(out: MemoryPipe, back: MemoryPipe, fault: string): Channel {
  let ended = false
  let closed = false
  const isClosed = (): boolean => closed
  return {
    write: (parts) => ((ended && fault !== 'writes-after-end') || (closed && fault !== 'writes-after-close') ? Promise.reject(closedHere()) : out.write(parts, isClosed)),
    read: (max) => (closed && fault === 'reads-after-close' ? back.read(max, () => false) : back.read(max, isClosed)),
    end: () => {
      if (closed && !ended) return Promise.reject(closedHere())
      if (ended && fault === 'ends-once') return Promise.reject(closedHere())
      ended = true
      if (fault === 'end-closes-both') back.finish('broken')
      out.finish(fault === 'end-breaks' ? 'broken' : 'ended')
      return Promise.resolve()
    },
    close: () => {
      closed = true
      out.finish(fault === 'loss-as-end' ? 'ended' : 'broken')
      back.leave()
      out.wake()
      back.wake()
      return Promise.resolve()
    },
  }
}
