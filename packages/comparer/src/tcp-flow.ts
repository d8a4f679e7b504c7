import type { Divergence } from '@xen-replication/hypervisor'
import { costOf, type Flow, type Held } from './flow.ts'
import { agreement, pieceOf, Pieces } from './pieces.ts'
import { lengthOf, type Segment, type Sent } from './sent.ts'
import { ahead, further, later } from './serial.ts'

type Tcp = Extract<Sent, { readonly kind: 'tcp' }>

interface Waiting {
  readonly held: Held
  readonly segment: Segment
  /** The sequence number behind what it carries; undefined when that is nothing. */
  readonly end: number | undefined
}

/**
 * What a guest sends on one TCP connection. Both sides' bytes are compared by sequence number, however they are cut into segments; SYN and FIN count
 * as bytes do. A segment of the primary is released when all it carries was confirmed, when the secondary has acknowledged as much (or what the peer
 * believes to have arrived would be missing after a failover), and, for RST, when the secondary has sent one.
 *
 * Sequence numbers are compared as they are. Two guests that choose different first ones differ, until a checkpoint or filter-rewriter makes them equal.
 */
export class TcpFlow implements Flow<Tcp> {
  #waiting: Waiting[] = []
  readonly #primary = new Pieces()
  readonly #secondary = new Pieces()
  /** Up to here both sides have sent the same, or a checkpoint covers it; undefined before the primary has sent anything. */
  #confirmed: number | undefined
  /** Where comparing began; what the primary sends from before it was never compared. Undefined: a checkpoint covers it. */
  #origin: number | undefined
  /** Behind the last that the primary has sent. */
  #sentUpTo: number | undefined
  #acknowledged: { primary: number | undefined; secondary: number | undefined } = { primary: undefined, secondary: undefined }
  /** First sequence numbers of this connection. */
  #first: { primary: number | undefined; secondary: number | undefined } = { primary: undefined, secondary: undefined }
  /** The secondary has begun a new connection with the same ports, and the primary has not. */
  #secondaryAhead: 'no' | 'yes' = 'no'
  /** Resets that the secondary has sent and the primary has not. */
  #resets = 0
  #fault: Divergence | undefined
  #waitingBytes = 0

  get idle(): boolean {
    return this.#waiting.length === 0 && this.#secondary.count === 0
  }

  get oldest(): number | undefined {
    const [first, other] = [this.#waiting[0]?.held.at, this.#secondary.oldest]
    return first === undefined || other === undefined ? (first ?? other) : Math.min(first, other)
  }

  get longest(): number {
    return Math.max(this.#waiting.length, this.#secondary.count)
  }

  get bytes(): number {
    return this.#waitingBytes + this.#secondary.bytes
  }

  primary({ segment }: Tcp, held: Held): void {
    if (segment.syn === 1 && segment.seq !== this.#first.primary) this.#beginPrimary(segment.seq)
    const carries = lengthOf(segment) > 0
    const piece = pieceOf(segment, held.at)
    this.#waitingBytes += costOf(held.packet.bytes)
    this.#waiting.push({ held, segment, end: carries ? piece.end : undefined })
    if (segment.ack !== undefined) this.#acknowledged.primary = segment.syn === 1 ? segment.ack : later(this.#acknowledged.primary, segment.ack)
    if (!carries) return
    this.#sentUpTo = later(this.#sentUpTo, piece.end)
    if (this.#confirmed === undefined) this.#origin = this.#confirmed = segment.seq
    if (this.#origin !== undefined && ahead(segment.seq, this.#origin) < 0) this.#fault = 'differs'
    if (ahead(piece.end, this.#confirmed) > 0 && this.#primary.put(piece) === 'contradicts') this.#fault = 'differs'
  }

  secondary({ segment }: Tcp, at: number): void {
    if (segment.syn === 1 && segment.seq !== this.#first.secondary) this.#beginSecondary(segment.seq)
    if (segment.ack !== undefined) this.#acknowledged.secondary = segment.syn === 1 ? segment.ack : later(this.#acknowledged.secondary, segment.ack)
    this.#resets += segment.rst
    if (lengthOf(segment) === 0) return
    const piece = pieceOf(segment, at)
    const news = this.#confirmed === undefined || this.#secondaryAhead === 'yes' || ahead(piece.end, this.#confirmed) > 0
    if (news) this.#secondary.put(piece)
  }

  compare(released: Held[]): Divergence | undefined {
    this.#fault ??= this.#confirm()
    for (;;) {
      const first = this.#waiting[0]
      if (this.#fault !== undefined || first === undefined || !this.#mayLeave(first)) return this.#fault
      this.#resets -= first.segment.rst
      this.#waiting.shift()
      this.#waitingBytes -= costOf(first.held.packet.bytes)
      released.push(first.held)
    }
  }

  checkpoint(): readonly Held[] {
    const waited = this.#waiting.map(({ held }) => held)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#primary.clear()
    this.#secondary.clear()
    this.#confirmed = this.#sentUpTo
    this.#origin = undefined
    this.#acknowledged.secondary = this.#acknowledged.primary
    this.#first.secondary = this.#first.primary
    this.#secondaryAhead = 'no'
    this.#resets = 0
    this.#fault = undefined
    return waited
  }

  /** A new connection of the same ports: the numbers of the one before mean nothing in it. */
  #beginPrimary(seq: number): void {
    if (this.#waiting.length > 0) this.#fault = 'differs' // what is left of the one before cannot be told from this one
    const met = this.#secondaryAhead === 'yes' || this.#confirmed === undefined
    if (met && this.#first.secondary !== undefined && this.#first.secondary !== seq) this.#fault = 'differs'
    this.#primary.clear()
    this.#first.primary = this.#confirmed = this.#origin = this.#sentUpTo = seq
    this.#acknowledged.primary = undefined
    this.#secondaryAhead = 'no'
  }

  #beginSecondary(seq: number): void {
    this.#secondary.clear()
    this.#first.secondary = seq
    this.#acknowledged.secondary = undefined
    if (this.#confirmed === undefined || seq === this.#first.primary) return
    if (this.#confirmed === this.#first.primary) this.#fault = 'differs' // both begin, each with another number
    else this.#secondaryAhead = 'yes'
  }

  /** Goes as far as both sides have sent the same. */
  #confirm(): Divergence | undefined {
    while (this.#confirmed !== undefined && this.#secondaryAhead === 'no') {
      const [here, there] = [this.#primary.at(this.#confirmed), this.#secondary.at(this.#confirmed)]
      if (here === undefined || there === undefined) return undefined
      const same = agreement(here, there, this.#confirmed)
      if (same === 0) return 'differs'
      this.#confirmed = further(this.#confirmed, same)
    }
    return undefined
  }

  #mayLeave({ segment, end }: Waiting): boolean {
    const { secondary } = this.#acknowledged
    if (end !== undefined && (this.#confirmed === undefined || ahead(end, this.#confirmed) > 0)) return false
    if (segment.ack !== undefined && (secondary === undefined || ahead(segment.ack, secondary) > 0)) return false
    return segment.rst === 0 || this.#resets > 0
  }
}
