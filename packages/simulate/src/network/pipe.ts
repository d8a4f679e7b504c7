import type { VirtualTime } from '../time/virtual-time.ts'
import type { Network, Site } from './network.ts'

/** What can be on its way: bytes, the end of them, or word that the connection is no more. */
export type Segment = Uint8Array | 'fin' | 'reset'

/** Bytes that may be under way before a writer has to wait: the buffers of both kernels. */
const BUFFER_BYTES = 512 * 1024

/** What arrives at a time: as much as a network card puts together. */
const PIECE_BYTES = 64 * 1024

/** One direction of a connection: everything arrives in order, late, or never. */
export class Pipe {
  readonly #time: VirtualTime
  readonly #network: Network
  readonly #from: Site
  readonly #to: Site
  /** What has not arrived, oldest first, and when it could. */
  readonly #queue: { readonly segment: Segment; readonly at: number }[] = []
  #pumping = false
  /** When the last of what was put in is on the wire, and when it arrives. */
  #sentAt = 0
  #lastAt = 0
  #underWay = 0
  #open = true
  onRoom: () => void = () => undefined
  onArrival: (segment: Segment) => void = () => undefined

  constructor(time: VirtualTime, network: Network, from: Site, to: Site) {
    this.#time = time
    this.#network = network
    this.#from = from
    this.#to = to
  }

  get hasRoom(): boolean {
    return this.#underWay < BUFFER_BYTES
  }

  put(segment: Segment): void {
    if (!this.#open && segment !== 'reset') return
    if (typeof segment === 'string') this.#add(segment)
    else for (let at = 0; at < segment.length; at += PIECE_BYTES) this.#add(segment.subarray(at, at + PIECE_BYTES))
    if (!this.#pumping) this.#pump()
  }

  /** What is under way never arrives, and nothing but a reset can be put in any more. */
  drop(): void {
    this.#open = false
    this.#queue.length = 0
  }

  /** As `drop()`, when the sender is torn away. @param keep share of the segment under way that still arrives. @returns that part */
  tear(keep: number): Uint8Array | undefined {
    const first = this.#queue[0]?.segment
    this.drop()
    const part = first === undefined || typeof first === 'string' ? undefined : first.subarray(0, Math.floor(first.length * keep))
    return part?.length === 0 ? undefined : part
  }

  #add(segment: Segment): void {
    const bytes = lengthOf(segment)
    this.#sentAt = Math.max(this.#sentAt, this.#time.now) + this.#network.sending(bytes)
    this.#lastAt = Math.max(this.#lastAt, this.#sentAt + this.#network.delay())
    this.#underWay += bytes
    this.#queue.push({ segment, at: this.#lastAt })
  }

  #pump(): void {
    const next = this.#queue[0]
    this.#pumping = next !== undefined
    if (next !== undefined) this.#time.after(next.at - this.#time.now, () => this.#network.whenOpen(this.#from, this.#to, () => this.#arrive()))
  }

  #arrive(): void {
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.onArrival(next.segment)
      this.#acknowledge(lengthOf(next.segment))
    }
    this.#pump()
  }

  /** The sender learns of it on the way back. */
  #acknowledge(bytes: number): void {
    this.#network.whenOpen(this.#to, this.#from, () => {
      this.#underWay -= bytes
      if (this.hasRoom) this.onRoom()
    })
  }
}

const lengthOf = (segment: Segment): number => (typeof segment === 'string' ? 0 : segment.length)
