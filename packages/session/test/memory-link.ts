import { LinkError, type Channel } from '@xen-replication/plugin-api'

/** What may go wrong on the way in one direction. */
export interface Faults {
  /** The link breaks when so many bytes have gone through; what was written before still arrives. */
  readonly cutAtByte?: number
  /** The link breaks instead of the write of that number, counted from 0: one write is one frame. */
  readonly cutAtWrite?: number
  /** `silence`: what breaks swallows bytes for ever instead of an error. */
  readonly as?: 'error' | 'silence'
  /** Bytes that are lost with the link although they were written: the last ones. */
  readonly loses?: 'nothing' | 'what was not read'
  /** Length of the next piece that a reader gets, at most. */
  readonly piece?: () => number
  /** Bytes that are held until somebody reads. */
  readonly capacity?: number
  /** Alters what is on its way. */
  readonly alter?: (bytes: Uint8Array, at: number) => Uint8Array
  /** Bytes a millisecond; needs `sleep`. */
  readonly rate?: number
  readonly sleep?: (ms: number) => Promise<void>
}

class Pipe {
  readonly #faults: Faults
  readonly #queue: Uint8Array[] = []
  #waiting: (() => void)[] = []
  #queued = 0
  #bytes = 0
  #writes = 0
  ended = false
  broken: 'no' | 'error' | 'silence' = 'no'
  onBreak: () => void = () => undefined

  constructor(faults: Faults) {
    this.#faults = faults
  }

  get writes(): number {
    return this.#writes
  }

  get bytes(): number {
    return this.#bytes
  }

  notify(): void {
    const woken = this.#waiting
    this.#waiting = []
    woken.forEach((wake) => wake())
  }

  async until(test: () => boolean): Promise<void> {
    while (!test()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async write(parts: readonly Uint8Array[], isClosed: () => boolean): Promise<void> {
    const { cutAtByte = Infinity, cutAtWrite = Infinity, alter = (same) => same, capacity = 256 * 1024, rate, sleep } = this.#faults
    if (this.#writes === cutAtWrite) this.breakOff()
    this.#writes += 1
    for (const part of parts) {
      const bytes = alter(part.slice(), this.#bytes).subarray(0, cutAtByte - this.#bytes)
      if (this.broken === 'no') this.#put(bytes)
      if (bytes.length < part.length) this.breakOff()
    }
    if (rate !== undefined) await sleep?.(parts.reduce((sum, { length }) => sum + length, 0) / rate)
    await this.until(() => this.#queued < capacity || this.broken === 'error' || isClosed())
    if (isClosed()) throw new LinkError('LINK_CLOSED', 'closed')
    if (this.broken === 'error') throw new LinkError('LINK_LOST', 'the link was cut')
  }

  async read(max: number, isClosed: () => boolean): Promise<Uint8Array | undefined> {
    await this.until(() => this.#queue.length > 0 || (this.ended && this.broken !== 'silence') || this.broken === 'error' || isClosed())
    if (isClosed()) throw new LinkError('LINK_CLOSED', 'closed')
    const first = this.#queue[0]
    if (first === undefined) {
      if (this.broken === 'error') throw new LinkError('LINK_LOST', 'the link was cut')
      return undefined
    }
    const piece = first.subarray(0, Math.min(max, Math.max(1, this.#faults.piece?.() ?? max)))
    this.#queue[0] = first.subarray(piece.length)
    if (this.#queue[0].length === 0) this.#queue.shift()
    this.#queued -= piece.length
    this.notify()
    return piece
  }

  breakOff(): void {
    if (this.broken !== 'no') return
    this.broken = this.#faults.as ?? 'error'
    if (this.#faults.loses === 'what was not read') this.#queue.length = 0
    this.onBreak()
    this.notify()
  }

  #put(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    if (bytes.length === 0) return
    this.#queue.push(bytes)
    this.#queued += bytes.length
    this.notify()
  }
}

export interface MemoryLink {
  readonly sender: Channel
  readonly receiver: Channel
  /** Frames and bytes that the sender wrote, and the receiver. */
  counts(): { readonly sender: number; readonly receiver: number; readonly senderBytes: number; readonly receiverBytes: number }
  cut(): void
}

/** One whose both ways can begin to swallow what is written. */
export interface MutableLink extends MemoryLink {
  silence(): void
}

/** Two ends of a link in memory. @param there faults on the way from the sender to the receiver; @param back on the way back. */
export function memoryLink(there: Faults = {}, back: Faults = {}): MutableLink {
  const forth = new Pipe(there)
  const home = new Pipe(back)
  const both = (): void => (forth.breakOff(), home.breakOff())
  forth.onBreak = () => home.breakOff()
  home.onBreak = () => forth.breakOff()
  return {
    sender: end(forth, home),
    receiver: end(home, forth),
    counts: () => ({ sender: forth.writes, receiver: home.writes, senderBytes: forth.bytes, receiverBytes: home.bytes }),
    cut: both,
    silence: () => {
      for (const pipe of [forth, home]) pipe.broken = 'silence'
    },
  }
}

function end(out: Pipe, into: Pipe): Channel {
  let closed = false
  const isClosed = (): boolean => closed
  return {
    write: (parts) => (closed ? Promise.reject(new LinkError('LINK_CLOSED', 'closed')) : out.write(parts, isClosed)),
    read: (max) => into.read(max, isClosed),
    end: () => {
      out.ended = true
      out.notify()
      return Promise.resolve()
    },
    close: () => {
      closed = true
      if (!out.ended) out.breakOff()
      out.ended = true
      out.notify()
      into.notify()
      return Promise.resolve()
    },
  }
}
