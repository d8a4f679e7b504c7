import type { AbortSignalLike, GuestPacket, PacketTap } from '@xen-replication/hypervisor'
import type { Nic, Packet } from '../device/nic.ts'
import { frameOf } from '../device/packet-frame.ts'
import type { Guest } from '../guest/guest.ts'
import type { HostCore } from '../host/host-core.ts'

/** How often a guest is asked what it has sent, in milliseconds. */
const LOOK_MS = 5

/** The cards of a guest. Each tap keeps the guest in this process until it is closed. @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_STATE */
export function openTaps(core: HostCore, domId: number): readonly PacketTap[] {
  const { nics } = core.stored(domId).record
  return Array.from({ length: nics }, (_, index) => new NicTap(core, core.attach(domId), index))
}

/** A simulated card whose packets are taken before they leave. */
class NicTap implements PacketTap {
  readonly #core: HostCore
  readonly #guest: Guest
  readonly #nic: Nic
  readonly #card: string
  /** What each packet that was given away is. */
  readonly #given = new WeakMap<GuestPacket, Packet>()
  #taken: Packet[] = []
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(core: HostCore, guest: Guest, index: number) {
    this.#core = core
    this.#guest = guest
    this.#nic = guest.nics[index] as Nic
    this.#card = `net${index}`
  }

  async open(): Promise<void> {
    if (this.#state !== 'new') return
    await this.#core.settle(this.#guest) // what was sent before has left
    this.#state = 'open'
    this.#nic.takes = (packet) => this.#taken.push(packet)
  }

  async taken(signal: AbortSignalLike): Promise<readonly GuestPacket[]> {
    for (;;) {
      if (signal.aborted) throw signal.reason
      const packets = await this.rest()
      if (packets.length > 0) return packets
      await this.#core.clock.sleep(LOOK_MS, signal)
    }
  }

  async rest(): Promise<readonly GuestPacket[]> {
    await this.#core.settle(this.#guest)
    return this.#taken.splice(0).map((packet) => this.#give(packet))
  }

  send(packets: readonly GuestPacket[]): Promise<void> {
    for (const one of packets) {
      const packet = this.#given.get(one)
      if (packet !== undefined) this.#nic.release(packet)
    }
    return Promise.resolve()
  }

  async close(held: 'release' | 'drop'): Promise<void> {
    if (this.#state === 'closed') return
    const was = this.#state
    this.#state = 'closed'
    if (was === 'open') await this.#letGo(held)
    await this.#core.detach(this.#guest.domId)
  }

  async #letGo(held: 'release' | 'drop'): Promise<void> {
    try {
      await this.#core.settle(this.#guest)
    } catch {
      held = 'drop' // the guest is gone
    }
    this.#nic.takes = undefined
    if (held === 'release') this.#taken.forEach(this.#nic.release)
    this.#taken = []
  }

  #give(packet: Packet): GuestPacket {
    const given: GuestPacket = { card: this.#card, bytes: frameOf(packet) }
    this.#given.set(given, packet)
    return given
  }
}
