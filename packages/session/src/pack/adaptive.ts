/** What one batch took. `ms`: all of it, compression and waiting for the wire. */
export interface BatchCost {
  readonly how: 'plain' | 'sampled' | 'packed'
  /** Bytes of the stream. */
  readonly bytes: number
  readonly ms: number
  /** Of which spent on compression. */
  readonly packMs: number
  /** Bytes given to the compressor, and bytes it made of them. */
  readonly from: number
  readonly to: number
}

/** Share of the time that trying may cost. The promise is 1 %; estimates may be off. */
const MAY_LOSE = 0.007
/** Compression has to promise that much more than it costs before it is tried. */
const MARGIN = 1.15
/** Bytes that a sample takes. */
export const SAMPLE_BYTES = 16 * 1024
/** What the first sample is taken to cost, in ms. */
const FIRST_SAMPLE_MS = 1
/** Batches after which what was gained is looked at. */
const SEGMENT = 32
/** Batches at the start of a segment during which the wire still carries what was sent before. */
const SETTLE = 12
/** Plain batches before anything is tried, and after a try that failed: doubled each time. */
const PAUSE = 8
const PAUSE_MOST = 1024
/** Segments after which the plain wire is measured again. */
const REFRESH = 8
/** How much of the past a new batch leaves. */
const DECAY = 0.97

/**
 * Decides batch by batch whether compression is worth it, from what batches took: it starts when a sample promises a gain, goes on as long as there is
 * one, and stops trying for longer and longer when there is none. What trying costs stays below 1 % of the time.
 */
export class Adaptive {
  #packing = false
  #pause = PAUSE
  #rest = PAUSE
  #segments = 0
  /** Milliseconds in all, and those lost against sending everything plain. */
  #spent = 0
  #lost = 0
  /** Of plain batches, the latest counting most. */
  readonly #plain = { ms: 0, bytes: 0 }
  /** Of compression: ms a byte, and what is left of a byte. */
  #packPerByte = FIRST_SAMPLE_MS / SAMPLE_BYTES
  #ratio = 1
  #segment = { batches: 0, ms: 0, bytes: 0, lateMs: 0, lateBytes: 0 }

  /** What to do with a batch of so many bytes. */
  plan(bytes: number): BatchCost['how'] {
    if (this.#packing) return 'packed'
    if (this.#rest > 0) {
      this.#rest -= 1
      return 'plain'
    }
    return this.#affords(this.#packPerByte * Math.min(bytes, SAMPLE_BYTES)) ? 'sampled' : 'plain'
  }

  note(cost: BatchCost): void {
    this.#spent += cost.ms
    if (cost.how === 'packed') this.#notePacked(cost)
    else this.#notePlain(cost)
  }

  #notePlain({ how, bytes, ms, packMs, from, to }: BatchCost): void {
    this.#plain.ms = this.#plain.ms * DECAY + ms - packMs
    this.#plain.bytes = this.#plain.bytes * DECAY + bytes
    if (how === 'plain') return
    this.#lost += packMs
    this.#learn(packMs, from, to)
    const promised = this.#plainPerByte() * (1 - this.#ratio) > MARGIN * this.#packPerByte
    if (!promised) this.#backOff()
    else if (this.#affords(2 * this.#packPerByte * bytes)) this.#begin()
    else this.#rest = PAUSE
  }

  #notePacked({ bytes, ms, packMs, from, to }: BatchCost): void {
    this.#learn(packMs, from, to)
    const now = this.#segment
    now.batches += 1
    now.ms += ms
    now.bytes += bytes
    if (now.batches > SETTLE) {
      now.lateMs += ms
      now.lateBytes += bytes
    }
    const lost = now.ms - now.bytes * this.#plainPerByte()
    if (lost > 0 && !this.#affords(lost)) this.#stop(lost)
    else if (now.batches === SEGMENT) this.#judge(lost)
  }

  #judge(lost: number): void {
    const { lateMs, lateBytes } = this.#segment
    if (lateMs >= lateBytes * this.#plainPerByte()) return this.#stop(lost)
    this.#lost = Math.max(this.#lost + lost, -MAY_LOSE * this.#spent)
    this.#pause = PAUSE
    this.#segments += 1
    this.#begin()
    if (this.#segments % REFRESH !== 0) return
    this.#packing = false
    this.#rest = PAUSE
  }

  #stop(lost: number): void {
    this.#lost += lost
    this.#backOff()
  }

  #begin(): void {
    this.#packing = true
    this.#segment = { batches: 0, ms: 0, bytes: 0, lateMs: 0, lateBytes: 0 }
  }

  #backOff(): void {
    this.#packing = false
    this.#rest = this.#pause
    this.#pause = Math.min(2 * this.#pause, PAUSE_MOST)
  }

  #learn(packMs: number, from: number, to: number): void {
    this.#packPerByte = (this.#packPerByte + packMs / from) / 2
    this.#ratio = Math.min(1, to / from)
  }

  #affords(ms: number): boolean {
    return this.#lost + ms <= MAY_LOSE * this.#spent
  }

  #plainPerByte(): number {
    return this.#plain.ms / this.#plain.bytes
  }
}
