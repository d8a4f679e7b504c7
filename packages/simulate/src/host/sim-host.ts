import { createMockHost, withFaults, type Disk, type Fault, type GuestSpec, type MockHost, type Nic, type Packet } from '@xen-replication/backend-mock'
import type { CheckpointDevice, DomId, GuestBuilder, GuestPacket, HypervisorBackend, PacketTap } from '@xen-replication/hypervisor'
import type { Chance } from '../chance.ts'
import type { Watch } from '../run/invariants.ts'
import type { HostName } from '../run/scenario.ts'
import type { Manner } from '../strategies.ts'
import { processClock } from '../time/process-clock.ts'
import type { SimProcess } from '../time/sim-process.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { SimDisk } from './sim-disk.ts'
import { snapshotOf } from './snapshot.ts'
import { packetKey } from './packet-key.ts'
import { watchedBackend } from './watched-backend.ts'

export interface SimHostPorts {
  readonly name: HostName
  readonly secondary: Manner['secondary']
  readonly seed: number
  readonly time: VirtualTime
  readonly process: SimProcess
  readonly chance: Chance
  readonly watch: Watch
  readonly disk: SimDisk
  /** Longest time of most calls, in milliseconds. */
  readonly callMs: number
  readonly faults: readonly Fault[]
  tell(what: string): void
  /** Lets packets past that are held back; for one of the faults. */
  readonly leaks: (packet: Packet) => boolean
  /** Another device in place of one; for one of the faults. */
  readonly device: (device: CheckpointDevice) => CheckpointDevice
  /** Memory of a guest that is restored, for one of the faults. */
  readonly builder: (memory: GuestBuilder) => GuestBuilder
  /** A card, for one of the faults. */
  readonly tap: (tap: PacketTap) => PacketTap
}

/** Memory of the machine. */
const MACHINE_BYTES = 512 << 20
/** Share of the moments before and after a call at which time passes; at others the next thing happens at once. */
const PAUSE_SHARE = 0.5
/** Share of calls that take far longer. */
const SLOW_SHARE = 0.02
const SLOW_TIMES = 20

const going = Promise.resolve()

/** A simulated host with its guest, and the backend as the process there sees it. */
export class SimHost {
  readonly mock: MockHost
  readonly backend: HypervisorBackend
  readonly #ports: SimHostPorts
  readonly #nics: Nic[] = []
  #state: 'on' | 'hung' | 'off' = 'on'
  /** Time at which a hung host stood still, and for how long it has, in all. */
  #hungAt = 0
  #hungFor = 0
  #leaked = 0
  #guest: DomId | undefined

  constructor(ports: SimHostPorts) {
    this.#ports = ports
    const { time, seed, name, watch, faults } = ports
    const now = (): number => (this.#state === 'on' ? time.now - this.#hungFor : this.#hungAt)
    const clock = processClock(ports.process, time, { offset: 0, rate: 1 })
    this.mock = createMockHost({
      seed,
      memoryBytes: MACHINE_BYTES,
      clock: { now, sleep: (ms, signal) => clock.sleep(ms, signal) },
      onPacket: (_, packet) => {
        if (this.#state !== 'off') watch.packetLeaves(name, packet)
      },
    })
    const { process, chance, callMs } = ports
    this.backend = watchedBackend(faults.length === 0 ? this.mock : withFaults(this.mock, faults), {
      pause: () => (chance.of(PAUSE_SHARE) ? process.pause(chance.real() * callMs * (chance.of(SLOW_SHARE) ? SLOW_TIMES : 1)) : going),
      lifecycle: (domId) => this.#look(domId),
      unpausing: (domId) => this.#unpausing(domId),
      resuming: (domId) => this.#resuming(domId),
      builder: ports.builder,
      tap: (tap, domId) => this.#tap(ports.tap(tap), domId),
      device: (device, domId) => this.#device(device, domId),
    })
  }

  /** Makes the guest that runs here at the beginning. */
  async create(spec: GuestSpec): Promise<void> {
    this.#guest = await this.mock.createGuest(spec)
  }

  get state(): 'on' | 'hung' | 'off' {
    return this.#state
  }

  /** The whole host stands still, its guest included. */
  hang(): void {
    if (this.#state !== 'on') return
    this.#hungAt = this.#ports.time.now - this.#hungFor
    this.#state = 'hung'
  }

  goOn(): void {
    if (this.#state !== 'hung') return
    this.#hungFor = this.#ports.time.now - this.#hungAt
    this.#state = 'on'
  }

  powerOff(): void {
    this.#state = 'off'
    this.#ports.watch.changed(this.#ports.name, { running: false })
  }

  /** Lets the guest do what it would have done by now. */
  async settle(): Promise<void> {
    if (this.#state === 'off' || this.#guest === undefined) return
    await this.mock.lifecycle(this.#guest).state().catch(() => undefined) // it may have been destroyed
    this.#leak()
  }

  /** Whether the guest runs. */
  async #look(domId: DomId): Promise<void> {
    if (this.#state === 'off') return
    this.#guest = domId
    const state = await this.mock.lifecycle(domId).state().catch(() => undefined) // it may have been destroyed
    this.#ports.watch.changed(this.#ports.name, { running: state !== undefined && !state.paused && state.shutdown === undefined })
  }

  async #unpausing(domId: DomId): Promise<void> {
    if (this.#ports.name === 'b' && this.#ports.secondary === 'waits') await this.#takesOver(domId)
  }

  /** The guest that runs along is as of a checkpoint. */
  async #resuming(domId: DomId): Promise<void> {
    if (this.#ports.name === 'b') this.#ports.watch.runsAlong(await this.mock.inspect(domId, snapshotOf))
  }

  async #takesOver(domId: DomId): Promise<void> {
    const snapshot = await this.mock.inspect(domId, snapshotOf)
    this.#ports.tell(`the guest is about to run here, ${snapshot.ops} operations old`)
    this.#ports.watch.takesOver(snapshot)
  }

  /** What goes past a network card that should hold it back. */
  #leak(): void {
    const { leaks, watch, name } = this.#ports
    for (const nic of this.#nics) {
      for (const packet of nic.held) {
        if (packet.number <= this.#leaked || !leaks(packet)) continue
        this.#leaked = packet.number
        watch.packetLeaves(name, packet)
      }
    }
  }

  #tap(tap: PacketTap, domId: DomId): PacketTap {
    const { name, watch } = this.#ports
    const seen = (packets: readonly GuestPacket[]): readonly GuestPacket[] => {
      if (name === 'b') for (const { bytes } of packets) watch.secondarySends(packetKey(bytes))
      return packets
    }
    return {
      open: () => this.#slowly(async () => {
        await tap.open()
        watch.changed(name, { holding: true })
      }),
      taken: async (signal) => seen(await tap.taken(signal)),
      rest: async () => seen(await tap.rest()),
      send: async (packets) => {
        if (name === 'b') await this.#takesOver(domId)
        await this.#pause()
        await tap.send(packets)
      },
      close: (held) => this.#slowly(async () => {
        if (held === 'release' && name === 'b') await this.#takesOver(domId)
        await tap.close(held)
        watch.changed(name, { holding: false })
      }),
    }
  }

  #pause(): Promise<void> {
    const { process, chance, callMs } = this.#ports
    return chance.of(PAUSE_SHARE) ? process.pause(chance.real() * callMs) : going
  }

  async #slowly(work: () => Promise<void>): Promise<void> {
    await this.#pause()
    await this.settle()
    await work()
    await this.#pause()
  }

  #device(mock: CheckpointDevice, domId: DomId): CheckpointDevice {
    const { watch, name, secondary } = this.#ports
    const network = mock.kind === 'network'
    if (network) this.#nics.push(mock as Nic)
    const epochEnds = name === 'a' && (network || secondary === 'runs-along')
    const device = this.#ports.device(network || name === 'b' ? mock : this.#journalled(mock as Disk))
    return {
      name: device.name,
      kind: device.kind,
      setup: (session) => this.#slowly(async () => {
        await device.setup(session)
        if (network) watch.changed(name, { holding: true })
      }),
      postsuspend: (epoch) => this.#slowly(async () => {
        if (epochEnds) await this.#epochEnds(epoch, domId)
        await device.postsuspend(epoch)
      }),
      preresume: (epoch) => this.#slowly(() => device.preresume(epoch)),
      commit: (epoch) => this.#slowly(() => device.commit(epoch)),
      waiting: () => device.waiting(),
      teardown: (held) => this.#slowly(async () => {
        await device.teardown(held)
        if (network) watch.changed(name, { holding: false })
      }),
    }
  }

  async #epochEnds(epoch: number, domId: DomId): Promise<void> {
    const snapshot = await this.mock.inspect(domId, snapshotOf)
    this.#ports.tell(`epoch ${epoch} ends, ${snapshot.ops} operations`)
    this.#ports.watch.epochEnds(epoch, snapshot)
  }

  /** Writes of an epoch are on their way to the disk for a while. */
  #journalled(disk: Disk): CheckpointDevice {
    return {
      name: disk.name,
      kind: disk.kind,
      setup: (session) => disk.setup(session),
      postsuspend: async (epoch) => {
        await disk.postsuspend(epoch)
        const whole = this.#ports.disk.begin(epoch, disk.held)
        await this.#ports.process.pause(this.#ports.chance.real() * this.#ports.callMs)
        whole()
      },
      preresume: () => disk.preresume(),
      commit: (epoch) => disk.commit(epoch),
      waiting: () => disk.waiting(),
      teardown: (held) => disk.teardown(held),
    }
  }
}
