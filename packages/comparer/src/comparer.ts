import type { Comparator, Comparison, Divergence, GuestPacket } from '@xen-replication/hypervisor'
import { costOf, type Flow, type Held } from './flow.ts'
import { Flows } from './flows.ts'
import { defaults, type ComparerOptions } from './options.ts'
import { readFrame } from './read-frame.ts'
import type { Sent } from './sent.ts'
import { TcpFlow } from './tcp-flow.ts'
import { WholeFlow } from './whole-flow.ts'

/** What became of the primary's packets. */
export interface ComparerCounts {
  /** Left because the secondary had sent the same. */
  readonly equal: number
  /** Left because a checkpoint covered them. */
  readonly covered: number
  /** Left at once: ARP, IGMP, neighbour discovery, which say nothing of what the guest does; and everything after a failover. */
  readonly uncompared: number
  /** Never left: there was no room for them, as on a full wire. */
  readonly lost: number
}

/** A comparator that can tell how it went. */
export interface PacketComparer extends Comparator {
  readonly counts: ComparerCounts
}

/** Compares the output of two guests in this process. Needs nothing but the packets and the time. */
export const packetComparer = (options: ComparerOptions = {}): PacketComparer => new Comparer({ ...defaults, ...options })

const NONE: readonly GuestPacket[] = []
const NOTHING: Comparison = { release: NONE, diverged: undefined }

class Comparer implements PacketComparer {
  readonly #limits: Required<ComparerOptions>
  readonly #flows: Flows
  readonly #counts = { equal: 0, covered: 0, uncompared: 0, lost: 0 }
  /** Packets of the primary that wait and belong to no flow. */
  #aside: Held[] = []
  #asideBytes = 0
  #flowBytes = 0
  #waiting = 0
  #order = 0
  #diverged: Divergence | undefined
  #due: number | undefined
  #other: 'there' | 'gone' = 'there'

  constructor(limits: Required<ComparerOptions>) {
    this.#limits = limits
    this.#flows = new Flows(limits.maxFlows)
  }

  get counts(): ComparerCounts {
    return { ...this.#counts }
  }

  get waiting(): number {
    return this.#waiting
  }

  get due(): number | undefined {
    return this.#diverged !== undefined || this.#flowBytes === 0 ? undefined : this.#due
  }

  primary(packet: GuestPacket, now: number): Comparison {
    if (this.#other === 'gone') return this.#atOnce(packet)
    const sent = sentOf(packet)
    if (sent.kind === 'signalling' && this.#diverged === undefined) return this.#atOnce(packet)
    if (!this.#hasRoom(packet)) {
      this.#counts.lost += 1
      return this.#result('full')
    }
    this.#order += 1
    this.#waiting += 1
    const held: Held = { packet, at: now, order: this.#order }
    const flow = sent.kind === 'signalling' ? undefined : this.#flowOf(packet, sent)
    if (flow !== undefined) return this.#feed(flow, now, () => flow.primary(sent, held))
    this.#aside.push(held)
    this.#asideBytes += costOf(packet.bytes)
    return this.#result(sent.kind === 'signalling' ? undefined : 'full')
  }

  secondary(packet: GuestPacket, now: number): Comparison {
    if (this.#other === 'gone' || this.#diverged !== undefined) return this.#result(undefined)
    const sent = sentOf(packet)
    if (sent.kind === 'signalling') return NOTHING
    const flow = this.#hasRoom(packet) ? this.#flowOf(packet, sent) : undefined
    if (flow === undefined) return this.#result('full')
    return this.#feed(flow, now, () => flow.secondary(sent, now))
  }

  look(now: number): Comparison {
    const { due } = this
    if (due === undefined || now < due) return this.#result(undefined)
    const { timeoutMs, scanMs } = this.#limits
    const oldest = this.#oldest()
    if (oldest !== undefined && oldest + timeoutMs <= now) return this.#result('late')
    this.#due = Math.max((oldest ?? now) + timeoutMs, now + scanMs)
    return NOTHING
  }

  checkpoint(): readonly GuestPacket[] {
    const waited = this.#aside
    this.#aside = []
    for (const flow of this.#flows.all()) waited.push(...flow.checkpoint())
    waited.sort((a, b) => a.order - b.order)
    this.#counts.covered += waited.length
    this.#asideBytes = this.#flowBytes = this.#waiting = 0
    this.#diverged = undefined
    return waited.map(({ packet }) => packet)
  }

  failover(): readonly GuestPacket[] {
    this.#other = 'gone'
    return this.checkpoint()
  }

  /** Tells a flow of a packet, and compares as far as that leads. */
  #feed(flow: Flow, now: number, tell: () => void): Comparison {
    const before = flow.bytes
    tell()
    if (this.#flowBytes === 0) this.#due = now + this.#limits.timeoutMs
    const released: Held[] = []
    const differs = this.#diverged === undefined ? flow.compare(released) : undefined
    this.#flowBytes += flow.bytes - before
    this.#waiting -= released.length
    this.#counts.equal += released.length
    const full = flow.longest > this.#limits.maxPackets ? 'full' : undefined
    return this.#result(differs ?? full, released.length === 0 ? NONE : released.map(({ packet }) => packet))
  }

  #flowOf({ card }: GuestPacket, sent: Exclude<Sent, { readonly kind: 'signalling' }>): Flow | undefined {
    return this.#flows.get(`${card}\n${sent.flow}`, () => (sent.kind === 'tcp' ? new TcpFlow() : new WholeFlow(sent.flow.startsWith(NAMED) ? 'same' : 'any')))
  }

  #hasRoom({ bytes }: GuestPacket): boolean {
    return this.#flowBytes + this.#asideBytes + costOf(bytes) <= this.#limits.maxBytes
  }

  #oldest(): number | undefined {
    let least: number | undefined
    for (const { oldest } of this.#flows.all()) if (oldest !== undefined && (least === undefined || oldest < least)) least = oldest
    return least
  }

  #atOnce(packet: GuestPacket): Comparison {
    this.#counts.uncompared += 1
    return { release: [packet], diverged: undefined }
  }

  /** What follows; the first reason to diverge stays. */
  #result(diverged: Divergence | undefined, release: readonly GuestPacket[] = NONE): Comparison {
    this.#diverged ??= diverged
    return this.#diverged === undefined && release.length === 0 ? NOTHING : { release, diverged: this.#diverged }
  }
}

const NAMED = '= '

/** A packet whose flow is known is compared as it stands; of any other the frame tells. */
function sentOf({ flow, bytes }: GuestPacket): Sent {
  return flow === undefined ? readFrame(bytes) : { kind: 'whole', flow: `${NAMED}${flow}`, body: { bytes, from: 0, to: bytes.length } }
}
