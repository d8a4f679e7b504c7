import type { ByteSource } from '@xen-replication/format'
import type { AbortSignalLike, GuestPacket, HypervisorBackend, PacketTap, ShadowPorts } from '@xen-replication/hypervisor'
import type { Operation } from '../operations/operation.ts'
import type { SecondaryPacket } from './compared-output.ts'
import { CHECKPOINT_IDLE_MS, patientSource } from './patient-source.ts'
import { ShadowGuest, type ReplicaPair, type ShadowFacts } from './shadow-guest.ts'

export interface LockstepGuestPorts {
  readonly backend: HypervisorBackend
  readonly source: ByteSource
  readonly emit: Operation['emit']
  /** What it is to be called, instead of what the stream says. */
  readonly name?: string | undefined
  /** Which guest of a group. */
  readonly member: number
  readonly pair: ReplicaPair
  /** Shows the primary what the guest has sent. */
  readonly show: (packets: readonly SecondaryPacket[]) => Promise<void>
}

/** How it stands: `filled` as of a checkpoint, `suspended` where it was itself. */
type Stand = 'filled' | 'runs' | 'suspended'

/** A copy of a guest that runs along unseen, and is filled again at each checkpoint. */
export class LockstepGuest extends ShadowGuest {
  readonly #ports: LockstepGuestPorts
  #shadow: ShadowPorts | undefined
  #taps: readonly PacketTap[] = []
  #pumps: { readonly stop: AbortController; readonly done: Promise<unknown> } | undefined
  /** What could not be shown any more. */
  readonly #unseen: { readonly tap: PacketTap; readonly packets: readonly GuestPacket[] }[] = []
  #stand: Stand = 'filled'
  #isOwn = false

  constructor(ports: LockstepGuestPorts) {
    super(ports.backend, patientSource(ports.source, ports.backend.clock, CHECKPOINT_IDLE_MS), { emit: ports.emit, name: ports.name, streamType: 'colo', pair: ports.pair })
    this.#ports = ports
  }

  /** Waits for the primary to announce its next checkpoint. @returns whether it did; otherwise the stream is over */
  async announced(): Promise<boolean> {
    const { why } = await this.opened.restorer.awaitNew()
    return why === 'new'
  }

  override async apply(): Promise<void> {
    if (!this.held) return
    await super.apply()
    await this.opened.restorer.complete()
    this.#stand = 'filled'
    const shadow = this.#shadow ?? (await this.#open())
    await shadow.loadDeviceModel()
    await shadow.dirty.take(await shadow.frames()) // written by the checkpoint itself
  }

  async preresume(epoch: number): Promise<void> {
    for (const device of this.#devices) await device.preresume(epoch)
  }

  /** Lets it run along, or where it is this host's own, run. */
  override async run(): Promise<void> {
    await this.#goOn()
    await this.lifecycle.unpause()
    this.wentOn()
    if (!this.#isOwn) this.#pump()
  }

  async suspend(): Promise<void> {
    await this.lifecycle.suspend()
    this.#stand = 'suspended'
  }

  /** It stands: what it has sent is shown, and what its disks were told is where it belongs. */
  async postsuspend(epoch: number): Promise<void> {
    await this.#halt()
    for (const [card, tap] of this.#taps.entries()) await this.#show(card, tap, await tap.rest())
    for (const device of this.#devices) await device.postsuspend(epoch)
  }

  /** The pfns that it has written itself since the last checkpoint, ascending. */
  async dirtyPfns(): Promise<readonly number[]> {
    const shadow = this.#shadow
    if (shadow === undefined) return []
    const pages = await shadow.frames()
    return setBits((await shadow.dirty.take(pages, 'last')).bitmap, pages)
  }

  /** Pauses it at once. */
  override stand(): Promise<void> {
    return this.lifecycle.pause()
  }

  /** Makes it a guest of this host, which stands still and has its name; from where it is, or from a checkpoint that counts already. */
  override async complete(epoch: number, token: bigint): Promise<void> {
    if (this.#isOwn) return
    await this.lifecycle.pause()
    await this.#halt()
    await this.apply()
    await this.promote(epoch, token)
    await this.#goOn()
    await this.#ports.backend.rename((this.facts as ShadowFacts).domId, (this.facts as ShadowFacts).name)
    for (const { tap, packets } of this.#unseen.splice(0)) await tap.send(packets)
    await this.#letGo('release')
    await this.#shadow?.close('stays')
    this.#isOwn = true
    this.wasCompleted()
  }

  /** What it sends is taken until it is gone: nothing of it may be seen meanwhile. */
  override async destroy(): Promise<void> {
    if (this.facts !== undefined) await this.stand().catch(() => undefined) // it goes in any case
    await this.#halt()
    for (const device of this.#devices) await device.teardown('drop').catch(() => undefined)
    await this.#shadow?.close('goes').catch(() => undefined)
    await super.destroy()
    for (const tap of this.#taps) await tap.close('drop').catch(() => undefined)
  }

  /** A copy that runs along and is nobody's goes. */
  override async close(): Promise<void> {
    if (!this.#isOwn && this.fate !== 'gone') await this.destroy().catch(() => undefined)
    await super.close()
  }

  get #devices(): ShadowPorts['devices'] {
    return this.#shadow?.devices ?? []
  }

  async #open(): Promise<ShadowPorts> {
    const { backend } = this.#ports
    const { domId } = this.facts as ShadowFacts
    const shadow = (this.#shadow = await backend.openShadow(domId))
    this.#taps = backend.capabilities.has('packet-taps') ? await backend.openTaps(domId) : []
    for (const tap of this.#taps) await tap.open()
    for (const device of shadow.devices) await device.setup()
    return shadow
  }

  /** Out of being suspended: a guest that was filled comes from elsewhere, one that was not goes on. */
  async #goOn(): Promise<void> {
    if (this.#stand === 'runs') return
    await this.lifecycle.resume(this.#stand === 'filled' ? 'resumed' : 'cancelled')
    this.#stand = 'runs'
  }

  #pump(): void {
    if (this.#pumps !== undefined) return
    const stop = new AbortController()
    const done = Promise.all(this.#taps.map((tap, card) => this.#showAll(card, tap, stop.signal)))
    this.#pumps = { stop, done }
  }

  async #showAll(card: number, tap: PacketTap, signal: AbortSignalLike): Promise<void> {
    try {
      for (;;) await this.#show(card, tap, await tap.taken(signal))
    } catch {
      // it stands, or is gone, which whoever does something with it next finds
    }
  }

  /** What cannot be shown waits: the primary is lost then. */
  async #show(card: number, tap: PacketTap, packets: readonly GuestPacket[]): Promise<void> {
    if (packets.length === 0) return
    const { member, show } = this.#ports
    await show(packets.map(({ bytes }) => ({ member, card, bytes }))).catch((error: unknown) => {
      this.#unseen.push({ tap, packets })
      throw error
    })
  }

  async #halt(): Promise<void> {
    const pumps = this.#pumps
    this.#pumps = undefined
    pumps?.stop.abort(new Error('the guest stands'))
    await pumps?.done
  }

  async #letGo(held: 'release' | 'drop'): Promise<void> {
    for (const device of this.#devices) await device.teardown(held)
    for (const tap of this.#taps) await tap.close(held)
  }
}

/** Numbers of the bits that are set, of the first `count`. */
function setBits(bitmap: Uint8Array, count: number): number[] {
  const set: number[] = []
  for (let at = 0; at < bitmap.length; at += 1) {
    for (let bits = bitmap[at] as number; bits !== 0; bits &= bits - 1) {
      const bit = at * 8 + (31 - Math.clz32(bits & -bits))
      if (bit < count) set.push(bit)
    }
  }
  return set
}
