import { LinkError, type Channel } from '@xen-replication/plugin-api'
import type { SimProcess } from '../time/sim-process.ts'
import type { Pipe } from './pipe.ts'

type Waiter = () => void

/** Nothing more can be done with it: closed on this side, or lost. */
type Ended = 'closed' | 'lost' | undefined

/** One end of a connection, as the kernel of a host has it for a process. */
export class Endpoint implements Channel {
  readonly #process: SimProcess
  readonly #out: Pipe
  readonly #arrived: Uint8Array[] = []
  #peerEnded = false
  #finished = false
  #ended: Ended
  #reader: Waiter | undefined
  #writer: Waiter | undefined

  constructor(process: SimProcess, out: Pipe) {
    this.#process = process
    this.#out = out
    out.onRoom = () => this.#wakeWriter()
  }

  /** Nobody will read what comes. */
  get isClosed(): boolean {
    return this.#ended !== undefined
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    this.#check()
    if (this.#finished) throw new LinkError('LINK_CLOSED', 'the link was ended on this side')
    this.#out.put(joined(parts))
    while (!this.#out.hasRoom) {
      await new Promise<void>((resolve) => (this.#writer = resolve))
      this.#check()
    }
  }

  read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    if (this.#ended === undefined && this.#arrived.length > 0) return this.#take(max)
    return this.#read(max)
  }

  end(): Promise<void> {
    if (!this.#finished && this.#ended === undefined) this.#out.put('fin')
    this.#finished = true
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (this.#ended === undefined) this.hangUp()
    return Promise.resolve()
  }

  /** What the kernel does for a process that closes it or dies: what was not read is answered by a reset. */
  hangUp(): void {
    this.#ended = 'closed'
    if (this.#arrived.length > 0) this.#out.put('reset')
    else if (!this.#finished) this.#out.put('fin')
    this.#wakeAll()
  }

  /** Bytes, or the peer's last word, have come. */
  deliver(what: Uint8Array | 'fin' | 'reset'): void {
    if (what === 'reset') return this.lose()
    if (this.#ended !== undefined) {
      if (what !== 'fin') this.#out.put('reset')
      return
    }
    if (what === 'fin') this.#peerEnded = true
    else this.#arrived.push(what)
    this.#wakeReader()
  }

  /** The connection is no more; what has come can still be read. */
  lose(): void {
    this.#ended ??= 'lost'
    this.#out.drop()
    this.#wakeAll()
  }

  async #read(max: number): Promise<Uint8Array | undefined> {
    while (this.#arrived.length === 0) {
      this.#check()
      if (this.#peerEnded) return undefined
      await new Promise<void>((resolve) => (this.#reader = resolve))
    }
    if (this.#ended === 'closed') this.#check()
    return this.#take(max)
  }

  #take(max: number): Uint8Array {
    const first = this.#arrived[0] as Uint8Array
    if (first.length <= max) this.#arrived.shift()
    else this.#arrived[0] = first.subarray(max)
    return first.subarray(0, max)
  }

  #check(): void {
    if (this.#ended === 'closed') throw new LinkError('LINK_CLOSED', 'the link was closed on this side')
    if (this.#ended === 'lost') throw new LinkError('LINK_LOST', 'the connection was reset')
  }

  #wakeAll(): void {
    this.#wakeReader()
    this.#wakeWriter()
  }

  #wakeReader(): void {
    const wake = this.#reader
    this.#reader = undefined
    if (wake !== undefined) this.#process.run(wake)
  }

  #wakeWriter(): void {
    const wake = this.#writer
    this.#writer = undefined
    if (wake !== undefined) this.#process.run(wake)
  }
}

/** Bytes of their own: those given may be used again as soon as they are written. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
