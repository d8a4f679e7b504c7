import type { Packet } from '@xen-replication/backend-mock'
import { keyOf } from '../host/packet-key.ts'
import type { SimDisk } from '../host/sim-disk.ts'
import type { Snapshot } from '../host/snapshot.ts'
import type { Manner } from '../strategies.ts'
import type { HostName } from './scenario.ts'

/** What must hold at every moment, whatever goes wrong; a sentence each. */
export const invariants = {
  'one-active': 'At most one guest is active: runs, with output that reaches the world.',
  'output-commit': 'No packet leaves before the epoch that it is of is stored at the backup, as long as the backup may take over.',
  'compared-output': 'Where both guests run, no packet leaves before the secondary has sent the same, or holds a checkpoint that covers it.',
  'same-memory': 'After each checkpoint the memory of a secondary that runs along is that of the primary.',
  'no-lost-output': 'Whoever takes over knows of every packet that the world has seen.',
  'last-epoch': 'After a failover the guest is as of the last epoch that was acknowledged, or a later one that was stored.',
  'disk-epoch': 'After a failover the disk is of the same epoch as the memory.',
  'ends': 'Every fault ends in a defined state within a bound.',
  'runs-on': 'Whoever may run the guest, and lives, runs it.',
  'in-time': 'Where nothing goes wrong but that the primary dies, the backup is active soon after it is missed.',
  'keeps-on': 'Where nothing goes wrong, epoch after epoch is acknowledged.',
} as const

export type Invariant = keyof typeof invariants

export interface Violation {
  readonly invariant: Invariant
  /** Virtual milliseconds since the run began. */
  readonly at: number
  readonly what: string
}

interface HostState {
  running: boolean
  holding: boolean
}

/** Looks at all that happens in a run. */
export class Watch {
  readonly #now: () => number
  readonly #disk: SimDisk
  readonly #secondary: Manner['secondary']
  /** What the secondary has sent since the last checkpoint. */
  readonly #twins = new Set<string>()
  readonly #hosts: Readonly<Record<HostName, HostState>> = { a: { running: true, holding: false }, b: { running: false, holding: false } }
  readonly #epochs = new Map<number, Snapshot & { readonly before: number }>()
  #firstWrites: number | undefined
  #stored = -1
  #acknowledged = -1
  #letGo = false
  #seenOps = 0
  #taken: Snapshot | undefined
  #takenAt: number | undefined
  #diedAt: number | undefined
  #violation: Violation | undefined

  constructor(now: () => number, disk: SimDisk, secondary: Manner['secondary'] = 'waits') {
    this.#secondary = secondary
    this.#now = now
    this.#disk = disk
  }

  /** The first thing that went wrong. */
  get violation(): Violation | undefined {
    return this.#violation
  }

  get stored(): number {
    return this.#stored
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  isActive(host: HostName): boolean {
    const { running, holding } = this.#hosts[host]
    return running && !holding
  }

  violated(invariant: Invariant, what: string): void {
    this.#violation ??= { invariant, at: this.#now(), what }
  }

  /** The guest of a host runs or not, its output is held back or not. */
  changed(host: HostName, change: Partial<HostState>): void {
    Object.assign(this.#hosts[host], change)
    if (this.isActive('a') && this.isActive('b')) this.violated('one-active', 'the guest is active on both hosts')
  }

  /** The guest stands still for the end of an epoch. */
  epochEnds(epoch: number, snapshot: Snapshot): void {
    this.#firstWrites ??= snapshot.writes
    this.#epochs.set(epoch, { ...snapshot, before: this.#firstWrites })
  }

  /** The backup has all of an epoch. */
  storedAtBackup(epoch: number): void {
    this.#stored = epoch
    this.#twins.clear()
  }

  acknowledgedToPrimary(epoch: number): void {
    this.#acknowledged = epoch
  }

  /** The primary ends the holding back by itself: `no-lost-output` tells whether that was right. */
  letsGo(): void {
    this.#letGo = true
  }

  /** @param key what makes two packets the same */
  secondarySends(key: string): void {
    this.#twins.add(key)
  }

  packetLeaves(host: HostName, packet: Pick<Packet, 'number' | 'ops' | 'noise'>): void {
    const { number, ops } = packet
    if (host === 'b') {
      if (this.#taken === undefined) this.violated('one-active', `packet ${number} leaves a backup that has not taken over`)
      return
    }
    this.#seenOps = Math.max(this.#seenOps, ops)
    const { holding } = this.#hosts.a
    if (holding && !this.#letGo && ops > (this.#epochs.get(this.#stored)?.ops ?? -1)) this.#leavesEarly(packet)
    if (this.#taken !== undefined && ops > this.#taken.ops) this.violated('no-lost-output', `packet ${number} leaves host a after the other side took over without it`)
  }

  #leavesEarly(packet: Pick<Packet, 'number' | 'ops' | 'noise'>): void {
    const uncovered = `packet ${packet.number} leaves; its epoch is not stored, the last that is stored is ${this.#stored}`
    if (this.#secondary === 'waits') this.violated('output-commit', uncovered)
    else if (!this.#twins.has(keyOf(packet))) this.violated('compared-output', `${uncovered}, and the secondary has not sent the same`)
  }

  /** The guest of the secondary is about to go on from a checkpoint. */
  runsAlong(snapshot: Snapshot): void {
    if (this.#secondary === 'waits' || this.#epochOf(snapshot) >= this.#stored) return
    this.violated('same-memory', `the memory of the secondary, ${snapshot.ops} operations old, is not that of epoch ${this.#stored}`)
  }

  /** A process dies; a backup that holds a copy has to take over then. */
  dies(host: HostName, backup: 'ready' | 'not'): void {
    if (host === 'a' && backup === 'ready') this.#diedAt ??= this.#now()
  }

  tookOverWithin(ms: number): void {
    if (this.#diedAt === undefined) return
    const took = (this.#takenAt ?? Infinity) - this.#diedAt
    if (took > ms) this.violated('in-time', `the primary died at ${this.#diedAt.toFixed(0)} ms, the backup was active ${took.toFixed(0)} ms later; ${ms} ms are allowed`)
  }

  /** The backup is about to let its guest run for the first time. */
  takesOver(snapshot: Snapshot): void {
    if (this.#taken !== undefined) return
    this.#taken = snapshot
    this.#takenAt = this.#now()
    if (snapshot.ops < this.#seenOps) this.violated('no-lost-output', `the world has seen a packet of operation ${this.#seenOps}; the guest goes on from operation ${snapshot.ops}`)
    const epoch = this.#secondary === 'waits' ? this.#epochOf(snapshot) : this.#stored
    const at = this.#epochs.get(epoch)
    if (at === undefined) return this.violated('last-epoch', `the memory of the guest is of no epoch; it has done ${snapshot.ops} operations`)
    if (epoch < Math.max(this.#acknowledged, this.#stored) || snapshot.ops < at.ops) this.violated('last-epoch', `the guest is as of epoch ${epoch}, ${snapshot.ops} operations old; epoch ${this.#stored} was stored, ${this.#acknowledged} acknowledged`)
    const last = this.#disk.lastOf(epoch, at.before)
    if (last !== at.writes) this.violated('disk-epoch', `memory knows of ${at.writes} writes, the disk of ${last ?? 'an epoch that is torn'}`)
  }

  /** The last epoch that memory is of; -1 when of none. */
  #epochOf({ ops, memory }: Snapshot): number {
    return [...this.#epochs].reverse().find(([, one]) => one.ops === ops && one.memory === memory)?.[0] ?? -1
  }
}
