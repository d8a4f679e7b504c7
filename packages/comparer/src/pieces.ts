import { costOf } from './flow.ts'
import { lengthOf, sameBytes, type Segment } from './sent.ts'
import { ahead, further } from './serial.ts'

/** A segment that waits to be compared. */
export interface Piece {
  readonly segment: Segment
  /** The sequence number behind it. */
  readonly end: number
  /** When it came, in milliseconds. */
  readonly at: number
}

export const pieceOf = (segment: Segment, at: number): Piece => ({ segment, end: further(segment.seq, lengthOf(segment)), at })

/** What one side has sent of a stream and the other has not confirmed yet, in the order of sequence numbers; pieces may overlap. */
export class Pieces {
  #pieces: Piece[] = []
  #end = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#pieces.length
  }

  /** When the oldest one came; undefined when there is none. */
  get oldest(): number | undefined {
    return this.#pieces.reduce<number | undefined>((least, { at }) => (least === undefined || at < least ? at : least), undefined)
  }

  /** Adds one, unless another has all of it. @returns whether it says the same as those it overlaps */
  put(piece: Piece): 'agrees' | 'contradicts' {
    const { seq } = piece.segment
    const begins = this.#pieces.length === 0
    if (begins || ahead(seq, this.#end) >= 0) {
      this.#pieces.push(piece)
      this.#bytes += costOf(piece.segment.payload.bytes)
      this.#end = piece.end
      return 'agrees'
    }
    for (const other of this.#pieces) if (!overlapAgrees(piece, other)) return 'contradicts'
    if (this.#pieces.some((other) => ahead(other.segment.seq, seq) <= 0 && ahead(other.end, piece.end) >= 0)) return 'agrees'
    const behind = this.#pieces.findIndex((other) => ahead(other.segment.seq, seq) > 0)
    this.#pieces.splice(behind < 0 ? this.#pieces.length : behind, 0, piece)
    this.#bytes += costOf(piece.segment.payload.bytes)
    if (ahead(piece.end, this.#end) > 0) this.#end = piece.end
    return 'agrees'
  }

  /** Forgets what ends before `seq`. @returns the piece that holds `seq`; undefined when it has not come */
  at(seq: number): Piece | undefined {
    for (;;) {
      const first = this.#pieces[0]
      if (first === undefined) return undefined
      if (ahead(first.end, seq) > 0) return ahead(first.segment.seq, seq) <= 0 ? first : undefined
      this.#pieces.shift()
      this.#bytes -= costOf(first.segment.payload.bytes)
    }
  }

  clear(): void {
    this.#pieces = []
    this.#bytes = 0
  }
}

/** How many sequence numbers from `seq` on two pieces that hold it have in common, up to a place where both begin anew; 0 when they differ. */
export function agreement(a: Piece, b: Piece, seq: number): number {
  const [one, other] = [whatIsAt(a, seq), whatIsAt(b, seq)]
  if (typeof one === 'string' || typeof other === 'string') return one === other ? 1 : 0
  const length = Math.min(a.segment.payload.to - one, b.segment.payload.to - other)
  return sameBytes(a.segment.payload.bytes, one, b.segment.payload.bytes, other, length) ? length : 0
}

/** What a piece has at a sequence number that it holds: the place of a byte in its frame, or a sign. */
function whatIsAt({ segment }: Piece, seq: number): number | 'syn' | 'fin' {
  const offset = ahead(seq, segment.seq) - segment.syn
  if (offset < 0) return 'syn'
  const at = segment.payload.from + offset
  return at < segment.payload.to ? at : 'fin'
}

function overlapAgrees(a: Piece, b: Piece): boolean {
  let seq = ahead(a.segment.seq, b.segment.seq) > 0 ? a.segment.seq : b.segment.seq
  while (ahead(a.end, seq) > 0 && ahead(b.end, seq) > 0) {
    const same = agreement(a, b, seq)
    if (same === 0) return false
    seq = further(seq, same)
  }
  return true
}
