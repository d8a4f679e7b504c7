import type { AbortSignalLike, Clock, Comparator, Comparison, Divergence, GuestPacket, PacketTap, RemoteComparator } from '@xen-replication/hypervisor'
import { asError } from './as-error.ts'

/** A packet of the secondary's guest, as the link brings it. */
export interface SecondaryPacket {
  /** Which guest of a group. */
  readonly member: number
  /** Which of its cards, from 0. */
  readonly card: number
  readonly bytes: Uint8Array
}

/** The output of a guest that runs on both hosts: it leaves when both have sent the same. */
export interface OutputCheck {
  /** From now on nothing leaves unseen. */
  begin(): Promise<void>
  /** The secondary's guest has sent these. */
  secondary(packets: readonly SecondaryPacket[]): void
  /** Waits until a checkpoint is wanted. @throws the reason of `signal`; what comparing failed with */
  diverged(signal: AbortSignalLike): Promise<Divergence>
  /** The guests stand: all that this side's has sent is taken in. */
  stand(): Promise<void>
  /** The secondary has the checkpoint: what waits leaves. */
  checkpoint(): Promise<void>
  /** The guests are about to go on. */
  go(): void
  /** There is nothing to compare with any more. `drop`: what waits must never be seen. May be called twice. */
  end(held: 'release' | 'drop'): Promise<void>
}

/** A card of this side. */
export interface TappedCard {
  readonly member: number
  readonly card: number
  readonly tap: PacketTap
}

export interface ComparedOutputPorts {
  readonly cards: readonly TappedCard[]
  readonly comparator: Comparator
  readonly clock: Clock
}

/** Compares in this process. */
export class ComparedOutput implements OutputCheck {
  readonly #ports: ComparedOutputPorts
  /** Where a packet that was handed to the comparator came from. */
  readonly #origin = new WeakMap<GuestPacket, { readonly tap: PacketTap; readonly packet: GuestPacket }>()
  readonly #waiting = new Set<() => void>()
  #pumps: { readonly stop: AbortController; readonly done: Promise<unknown> } | undefined
  #leaving: Promise<void> = Promise.resolve()
  #diverged: Divergence | undefined
  #failure: Error | undefined
  /** When the comparator is to be looked at next, as far as whoever waits knows. */
  #due: number | undefined
  #over = false

  constructor(ports: ComparedOutputPorts) {
    this.#ports = ports
  }

  async begin(): Promise<void> {
    for (const { tap } of this.#ports.cards) await tap.open()
  }

  secondary(packets: readonly SecondaryPacket[]): void {
    if (this.#over) return
    const now = this.#ports.clock.now()
    for (const { member, card, bytes } of packets) this.#act(this.#ports.comparator.secondary({ card: cardName(member, card), bytes }, now))
  }

  async diverged(signal: AbortSignalLike): Promise<Divergence> {
    const { clock, comparator } = this.#ports
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#diverged !== undefined) return this.#diverged
      const { due } = comparator
      await this.#change(signal, due === undefined ? undefined : due - clock.now())
      this.#act(comparator.look(clock.now()))
    }
  }

  async stand(): Promise<void> {
    await this.#halt()
    for (const one of this.#ports.cards) this.#compare(one, await one.tap.rest())
    await this.#settled()
  }

  async checkpoint(): Promise<void> {
    await this.#halt()
    this.#leave(this.#ports.comparator.checkpoint())
    this.#diverged = undefined
    await this.#settled()
  }

  go(): void {
    if (this.#pumps !== undefined || this.#over) return
    const stop = new AbortController()
    const done = Promise.all(this.#ports.cards.map((card) => this.#pump(card, stop.signal)))
    this.#pumps = { stop, done }
  }

  async end(held: 'release' | 'drop'): Promise<void> {
    if (this.#over) return
    this.#over = true
    await this.#halt()
    const rest = this.#ports.comparator.failover()
    if (held === 'release') this.#leave(rest)
    await this.#leaving.catch(() => undefined) // what cannot leave any more is lost, as on a wire
    for (const { tap } of this.#ports.cards) await tap.close(held)
  }

  async #pump(card: TappedCard, signal: AbortSignal): Promise<void> {
    try {
      for (;;) this.#compare(card, await card.tap.taken(signal))
    } catch (error) {
      if (!signal.aborted) this.#fail(error)
    }
  }

  #compare({ member, card, tap }: TappedCard, packets: readonly GuestPacket[]): void {
    const { comparator, clock } = this.#ports
    for (const packet of packets) {
      const named: GuestPacket = { ...packet, card: cardName(member, card) }
      this.#origin.set(named, { tap, packet })
      this.#act(comparator.primary(named, clock.now()))
    }
  }

  #act({ release, diverged }: Comparison): void {
    this.#leave(release)
    const { due } = this.#ports.comparator
    const sooner = due !== undefined && this.#due === undefined
    const news = diverged !== undefined && this.#diverged === undefined
    this.#due = due
    this.#diverged ??= diverged
    if (news || sooner) this.#wake()
  }

  /** Packets leave one after the other, in the order in which they were let go. */
  #leave(packets: readonly GuestPacket[]): void {
    if (packets.length === 0) return
    this.#leaving = this.#leaving.then(async () => {
      for (const named of packets) {
        const origin = this.#origin.get(named)
        if (origin !== undefined) await origin.tap.send([origin.packet])
      }
    })
    this.#leaving.catch((error: unknown) => this.#fail(error))
  }

  async #settled(): Promise<void> {
    await this.#leaving
    if (this.#failure !== undefined) throw this.#failure
  }

  async #halt(): Promise<void> {
    const pumps = this.#pumps
    this.#pumps = undefined
    pumps?.stop.abort(new Error('the guest stands'))
    await pumps?.done
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error)
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Waits until something happens, or so many milliseconds. @throws the reason of `signal` */
  async #change(signal: AbortSignalLike, ms: number | undefined): Promise<void> {
    if (signal.aborted) throw signal.reason
    const over = new AbortController()
    const woken = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve(), { once: true }))
    const wake = (): void => over.abort(new Error('there is news'))
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    try {
      const time = ms === undefined ? [] : [this.#ports.clock.sleep(Math.max(0, ms), over.signal).catch(() => undefined)]
      await Promise.race([woken, ...time])
      if (signal.aborted) throw signal.reason
    } finally {
      this.#waiting.delete(wake)
      signal.removeEventListener('abort', wake)
      wake()
    }
  }
}

/** A QEMU compares; packets never come here. */
export class RemoteOutput implements OutputCheck {
  readonly #comparator: RemoteComparator

  constructor(comparator: RemoteComparator) {
    this.#comparator = comparator
  }

  begin(): Promise<void> {
    return Promise.resolve()
  }

  secondary(): void {
    // they go from QEMU to QEMU
  }

  diverged(signal: AbortSignalLike): Promise<Divergence> {
    return this.#comparator.diverged(signal)
  }

  stand(): Promise<void> {
    return Promise.resolve()
  }

  checkpoint(): Promise<void> {
    return this.#comparator.checkpoint()
  }

  go(): void {
    // it never stops
  }

  /** QEMU goes on comparing; what its guest sends from now on leaves once its filters are taken away. */
  async end(held: 'release' | 'drop'): Promise<void> {
    if (held === 'release') await this.#comparator.checkpoint().catch(() => undefined)
    await this.#comparator.close()
  }
}

const cardName = (member: number, card: number): string => `${member}/${card}`
