import { BackendError, type Clock, type DomId, type GuestFacts } from '@xen-replication/hypervisor'
import { Disk } from '../device/disk.ts'
import type { DiskJournal } from '../device/disk-journal.ts'
import { Nic } from '../device/nic.ts'
import { Guest } from '../guest/guest.ts'
import type { GuestRecord } from '../guest/record.ts'
import { settle } from '../guest/run.ts'
import { recordOf } from '../guest/snapshot.ts'
import { after, runs, type GuestEvent, type Timeline } from '../guest/timeline.ts'
import { EXTENT_FRAMES, Machine } from '../memory/machine.ts'
import type { Change, HostStore, Lease, StoredGuest } from '../store/host-store.ts'
import { Ledger } from './leaks.ts'
import type { MockHostOptions } from './options.ts'

/** Without a look for so long, the guest's running is written down, in milliseconds. */
const SEEN_EVERY_MS = 60_000

/** After so many events a guest is stored anew, as all of them are gone through whenever it is loaded. */
const MOST_EVENTS = 5000

interface Resident {
  readonly guest: Guest
  readonly lease: Lease
  users: number
}

/** What the ports of a simulated host share: its store, its machine, and the guests that are in this process. */
export class HostCore {
  readonly store: HostStore
  readonly machine: Machine
  readonly clock: Clock
  readonly options: MockHostOptions
  readonly ledger = new Ledger()
  readonly #residents = new Map<number, Resident>()

  constructor(store: HostStore, clock: Clock, options: MockHostOptions) {
    this.store = store
    this.clock = clock
    this.options = options
    this.machine = new Machine(store.memoryBytes, store.seed)
  }

  /** Record and events of a domain. @throws BackendError BACKEND_NO_SUCH_DOMAIN */
  stored(domId: number): StoredGuest {
    const stored = this.store.guest(domId)
    if (stored !== undefined) return stored
    this.#drop(domId)
    throw new BackendError('BACKEND_NO_SUCH_DOMAIN', `there is no domain ${domId}`, { hint: 'xr list shows the domains of this host' })
  }

  /** Where a domain stands now. */
  timeline({ record, events }: StoredGuest): Timeline {
    return events.reduce(after, record.timeline)
  }

  facts({ domId, kind, width, vcpus }: GuestRecord): GuestFacts {
    return { domId: domId as DomId, kind, width: kind === 'pv' ? width : undefined, maxVcpuId: vcpus - 1, xen: this.options.xen ?? { major: 4, minor: 20 } }
  }

  /** Runs `work` while nobody else changes the host, and with the machine's memory as it is given out now. */
  change<T>(work: (change: Change) => T): Promise<T> {
    return this.store.change((change) => {
      this.machine.know(change.guests())
      return work(change)
    })
  }

  /** A new domain that only this process may fill: its record is put down before anybody else looks. */
  found(change: Change, record: GuestRecord, extents: number): { readonly record: GuestRecord; readonly lease: Lease } {
    const lease = this.store.lease(record.domId)
    try {
      return { record: this.claim(change, record, extents), lease }
    } catch (cause) {
      lease.release()
      change.remove(record.domId)
      throw cause
    }
  }

  /** Gives a guest more machine memory. @throws BackendError BACKEND_MEMORY */
  claim(change: Change, record: GuestRecord, extents: number): GuestRecord {
    const more = this.machine.claim(record.domId, extents)
    if (more === undefined) {
      const [wanted, free] = [extents, this.machine.free].map((n) => `${(n * EXTENT_FRAMES) / 256} MiB`)
      throw new BackendError('BACKEND_MEMORY', `the host has ${free} left, ${wanted} are wanted`, { hint: 'destroy a guest, or give the simulated host more memory' })
    }
    const grown = { ...record, extents: [...record.extents, ...more] }
    change.put(grown)
    return grown
  }

  /** Takes a guest into this process, to be given back by `detach()`. @throws BackendError BACKEND_NO_SUCH_DOMAIN, BACKEND_STATE */
  attach(domId: number): Guest {
    if (this.stored(domId).record.phase === 'building') throw new BackendError('BACKEND_STATE', `domain ${domId} is being built`)
    const known = this.#residents.get(domId)
    if (known !== undefined) {
      known.users += 1
      return known.guest
    }
    const lease = this.store.lease(domId)
    try {
      const guest = this.#load(this.stored(domId).record) // again: it may have been stored anew until we had the lease
      this.#residents.set(domId, { guest, lease, users: 1 })
      return guest
    } catch (cause) {
      lease.release()
      throw cause
    }
  }

  /** A new guest that is filled in this process. */
  admit(record: GuestRecord, lease: Lease): Guest {
    const guest = this.#newGuest(record)
    this.#residents.set(record.domId, { guest, lease, users: 1 })
    return guest
  }

  /** Stores what has changed and lets go of the guest, unless others use it or it lives in this process. */
  async detach(domId: number): Promise<void> {
    const resident = this.#residents.get(domId)
    if (resident === undefined) return
    resident.users -= 1
    if (resident.users > 0 || !this.store.lasting) return
    try {
      if (hasChanged(resident.guest)) await this.save(resident.guest)
    } finally {
      resident.lease.release()
      this.#drop(domId)
    }
  }

  /** Stores a guest as it is now. */
  async save(guest: Guest): Promise<void> {
    const stored = this.store.guest(guest.domId)
    if (stored === undefined) return
    const { phase } = stored.record
    if (phase !== 'building') await this.settle(guest)
    const record = { ...recordOf(guest), name: stored.record.name, extents: stored.record.extents, generation: stored.record.generation + 1, phase: phase === 'shadow' ? phase : ('built' as const) }
    await this.store.save(record, { p2m: guest.pv?.space.table(), pages: guest.ram.changedRuns() }, guest.taken)
    guest.ram.changed?.clear()
    guest.record = record
    guest.taken = 0
  }

  /** The guest in this process, if it is here. */
  resident(domId: number): Guest | undefined {
    return this.#residents.get(domId)?.guest
  }

  /** Brings a guest up to the present. @throws BackendError BACKEND_NO_SUCH_DOMAIN */
  async settle(guest: Guest): Promise<void> {
    const stored = this.stored(guest.domId)
    if (stored.record.phase === 'building') return
    const now = this.clock.now()
    settle(guest, stored.events, now)
    const { timeline } = guest
    if (timeline.shutdown === 'crash' && this.timeline(stored).shutdown !== 'crash') await this.happen(guest.domId, 'crash')
    else if (runs(timeline) && now - timeline.at > SEEN_EVERY_MS) await this.happen(guest.domId, 'seen')
  }

  /** Writes down an event, and has the guest feel it when it is in this process. */
  async happen(domId: number, what: GuestEvent['what']): Promise<void> {
    const at = this.clock.now()
    await this.store.change((change) => change.append(domId, { at, what }))
    const guest = this.resident(domId)
    if (guest === undefined) return
    settle(guest, this.stored(domId).events, at)
    if (guest.taken >= MOST_EVENTS) await this.save(guest)
  }

  /** Ends a domain, wherever it is. */
  async destroy(domId: number): Promise<void> {
    await this.store.change((change) => change.remove(domId))
    this.#drop(domId)
  }

  async close(): Promise<void> {
    for (const domId of [...this.#residents.keys()]) {
      if (this.store.guest(domId)?.record.phase !== 'built') await this.destroy(domId)
      while (this.store.lasting && this.#residents.has(domId)) await this.detach(domId)
    }
    await this.store.close()
  }

  #load(record: GuestRecord): Guest {
    this.machine.know(this.store.guests().map((stored) => stored.record))
    const guest = this.#newGuest(record)
    guest.countTypes()
    return guest
  }

  #newGuest(record: GuestRecord): Guest {
    const { domId, uuid, nics, disks } = record
    const { onPacket: seen, diskJournal } = this.options
    return new Guest(record, {
      machine: this.machine,
      memory: this.store.memory(record),
      lasting: this.store.lasting,
      nics: Array.from({ length: nics }, (_, n) => new Nic(`vif${domId}.${n}`, () => this.clock.now(), (packet) => seen?.(domId as DomId, packet))),
      disks: Array.from({ length: disks }, (_, n) => newDisk(`xvd${String.fromCharCode(97 + n)}`, uuid, diskJournal)),
    })
  }

  #drop(domId: number): void {
    const resident = this.#residents.get(domId)
    this.#residents.delete(domId)
    if (this.store.guest(domId) !== undefined) return
    resident?.lease.release()
    resident?.guest.vanish()
    this.ledger.forget(domId)
  }
}

const newDisk = (name: string, uuid: string, journal: DiskJournal | undefined): Disk => new Disk(name, `${uuid} ${name}`, journal)

const hasChanged = ({ record, ram, taken, doneUs }: Guest): boolean => record.phase === 'building' || ram.changed?.size !== 0 || taken > 0 || doneUs > record.doneUs
