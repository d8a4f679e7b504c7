/** Bytes of the stream that may always be under way, whatever the share. */
export const RESEND_LEAST = 64 * 1024
/** Share of what was sent that may be lost with a link and have to be sent again. */
const RESEND_SHARE = 0.01
/** Batches that fit into what may be under way, so that the wire does not run dry. */
const PIPELINE = 4

export interface FlowLimits {
  /** What the receiver holds for its application, in bytes of the stream. */
  readonly window: number
  /** Longest batch. */
  readonly batch: number
  readonly resumable: boolean
}

/**
 * How much may be under way. Two limits: what the receiver holds, and, where a session can go on after its link was lost, 1 % of what was sent up to
 * then, or of what the stream is known to have at least, so that no more than that is ever sent twice.
 */
export class Flow {
  readonly #limits: FlowLimits
  #sent: number
  #taken: number
  #resent = 0
  #least = 0

  /** @param offset bytes of the stream that were sent before, in a session that goes on. */
  constructor(limits: FlowLimits, offset = 0) {
    this.#limits = limits
    this.#sent = offset
    this.#taken = offset
  }

  /** Bytes of the stream that were sent, those sent again not counted. */
  get sent(): number {
    return this.#sent
  }

  /** Bytes of the next batch. */
  get batchBytes(): number {
    return Math.min(this.#limits.batch, Math.floor(this.#underWay() / PIPELINE))
  }

  /** Whether `bytes` may be sent, `unacknowledged` being under way. */
  admits(bytes: number, unacknowledged: number): boolean {
    return unacknowledged + bytes <= this.#underWay() && this.#sent + bytes - this.#taken <= this.#limits.window
  }

  /** The stream will have at least so many bytes, those sent before included. */
  expect(bytes: number): void {
    this.#least = bytes
  }

  send(bytes: number): void {
    this.#sent += bytes
  }

  sendAgain(bytes: number): void {
    this.#resent += bytes
  }

  /** @returns false when the peer says that it has taken more than was sent. */
  take(taken: number): boolean {
    this.#taken = Math.max(this.#taken, taken)
    return taken <= this.#sent
  }

  #underWay(): number {
    const { window, resumable } = this.#limits
    return resumable ? Math.min(window, Math.max(RESEND_LEAST, Math.floor(Math.max(this.#sent, this.#least) * RESEND_SHARE) - this.#resent)) : window
  }
}
