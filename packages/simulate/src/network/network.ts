import type { Chance } from '../chance.ts'
import type { VirtualTime } from '../time/virtual-time.ts'

/** Who has an address. */
export type Site = 'a' | 'b' | 'arbiter'

export interface NetworkManner {
  /** Least time on the way, in milliseconds. */
  readonly latencyMs: number
  /** What comes on top at most. */
  readonly jitterMs: number
  /** Share of packets that are lost and sent again. */
  readonly loss: number
  /** Bytes a millisecond. */
  readonly rate: number
}

/** How long a packet that was lost is missing, in milliseconds: found by later ones, or by TCP's shortest timeout (RFC 6298 in Linux: 200 ms). */
const MISSING_MS = { soon: 4, timeout: 200 } as const
/** Share of losses that only a timeout finds. */
const TAIL_LOSS = 0.2

/** Ways between sites, each direction by itself; what is blocked waits, as TCP has it. */
export class Network {
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #manner: NetworkManner
  readonly #blocked = new Set<string>()
  readonly #waiting = new Map<string, (() => void)[]>()
  #slowness = 1

  constructor(time: VirtualTime, chance: Chance, manner: NetworkManner) {
    this.#time = time
    this.#chance = chance
    this.#manner = manner
  }

  isOpen(from: Site, to: Site): boolean {
    return !this.#blocked.has(way(from, to))
  }

  block(from: Site, to: Site): void {
    this.#blocked.add(way(from, to))
  }

  /** Opens a way again; what waited goes on once it is tried again. */
  open(from: Site, to: Site): void {
    if (!this.#blocked.delete(way(from, to))) return
    const waiting = this.#waiting.get(way(from, to)) ?? []
    this.#waiting.delete(way(from, to))
    const later = this.#chance.between(0, MISSING_MS.timeout)
    for (const go of waiting) this.#time.after(later, () => this.whenOpen(from, to, go))
  }

  /** Everything takes so many times as long. */
  slow(factor: number): void {
    this.#slowness = factor
  }

  /** How long it takes to put so many bytes on the wire. */
  sending(bytes: number): number {
    return (bytes / this.#manner.rate) * this.#slowness
  }

  /** How long a packet is on its way, or all that are sent until it arrives. */
  delay(): number {
    const { latencyMs, jitterMs, loss } = this.#manner
    const missing = loss > 0 && this.#chance.of(loss) ? (this.#chance.of(TAIL_LOSS) ? MISSING_MS.timeout : MISSING_MS.soon) : 0
    return (latencyMs + this.#chance.real() * jitterMs) * this.#slowness + missing
  }

  /** Does something at once if the way is open, otherwise when it is again. */
  whenOpen(from: Site, to: Site, go: () => void): void {
    if (this.isOpen(from, to)) return go()
    const key = way(from, to)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) this.#waiting.set(key, [go])
    else waiting.push(go)
  }
}

const way = (from: Site, to: Site): string => `${from}>${to}`
