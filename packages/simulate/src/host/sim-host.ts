import { createMockHost, withFaults, type Disk, type Fault, type GuestSpec, type MockHost, type Nic, type Packet } from '@xen-replication/backend-mock'
import type { CheckpointDevice, DomId, HypervisorBackend } from '@xen-replication/hypervisor'
import type { Chance } from '../chance.ts'
import type { Watch } from '../run/invariants.ts'
import type { HostName } from '../run/scenario.ts'
import type { SimProcess } from '../time/sim-process.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { SimDisk } from './sim-disk.ts'
import { snapshotOf } from './snapshot.ts'
import { watchedBackend } from './watched-backend.ts'

export interface SimHostPorts {
  readonly name: HostName
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
    this.mock = createMockHost({
      seed,
      memoryBytes: MACHINE_BYTES,
      clock: { now, sleep: (ms) => ports.process.pause(ms) },
      onPacket: (_, packet) => {
        if (this.#state !== 'off') watch.packetLeaves(name, packet)
      },
    })
    const { process, chance, callMs } = ports
    this.backend = watchedBackend(faults.length === 0 ? this.mock : withFaults(this.mock, faults), {
      pause: () => (chance.of(PAUSE_SHARE) ? process.pause(chance.real() * callMs * (chance.of(SLOW_SHARE) ? SLOW_TIMES : 1)) : going),
      lifecycle: (domId) => this.#look(domId),
      unpausing: (domId) => this.#unpausing(domId),
      device: (device, domId) => this.#device(ports.device(device), device, domId),
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
    if (this.#ports.name === 'a') return
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

  #device(device: CheckpointDevice, mock: CheckpointDevice, domId: DomId): CheckpointDevice {
    const { process, chance, callMs, watch, name } = this.#ports
    const pause = (): Promise<void> => (chance.of(PAUSE_SHARE) ? process.pause(chance.real() * callMs) : going)
    const slowly = async (work: () => Promise<void>): Promise<void> => {
      await pause()
      await this.settle()
      await work()
      await pause()
    }
    const network = device.kind === 'network'
    if (network) this.#nics.push(mock as Nic)
    return {
      name: device.name,
      kind: device.kind,
      setup: () => slowly(async () => {
        await device.setup()
        if (network) watch.changed(name, { holding: true })
      }),
      postsuspend: (epoch) => slowly(() => (network ? this.#epochEnds(device, epoch, domId) : this.#journal(device, mock as Disk, epoch))),
      preresume: (epoch) => slowly(() => device.preresume(epoch)),
      commit: (epoch) => slowly(() => device.commit(epoch)),
      waiting: () => device.waiting(),
      teardown: (held) => slowly(async () => {
        if (network && held === 'release') watch.letsGo()
        await device.teardown(held)
        if (network) watch.changed(name, { holding: false })
      }),
    }
  }

  async #epochEnds(device: CheckpointDevice, epoch: number, domId: DomId): Promise<void> {
    const snapshot = await this.mock.inspect(domId, snapshotOf)
    this.#ports.tell(`epoch ${epoch} ends, ${snapshot.ops} operations`)
    this.#ports.watch.epochEnds(epoch, snapshot)
    await device.postsuspend(epoch)
  }

  /** Writes of an epoch are on their way to the disk for a while. */
  async #journal(device: CheckpointDevice, mock: Disk, epoch: number): Promise<void> {
    await device.postsuspend(epoch)
    const whole = this.#ports.disk.begin(epoch, mock.held)
    await this.#ports.process.pause(this.#ports.chance.real() * this.#ports.callMs)
    whole()
  }
}
