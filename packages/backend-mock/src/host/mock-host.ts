import { BackendError, type Capability, type Clock, type CreateRequest, type DomainSummary, type DomId, type GuestForRestore, type GuestForSave, type HypervisorBackend, type Lifecycle, type PacketTap, type RestoreRequest, type ShadowPorts, type ShutdownReason } from '@xen-replication/hypervisor'
import { realClock, type VirtualClock } from '../clock.ts'
import { ranAt } from '../guest/timeline.ts'
import { MockLifecycle } from '../ports/lifecycle.ts'
import { openTaps } from '../ports/nic-tap.ts'
import { SaveHandle } from '../ports/save-handle.ts'
import { openShadow } from '../ports/shadow-handle.ts'
import type { HostStore, StoredGuest } from '../store/host-store.ts'
import { nameInConfig } from './config-text.ts'
import { createGuest } from './create-guest.ts'
import { specOf } from './create-settings.ts'
import { viewOf, type GuestView } from './guest-view.ts'
import { HostCore } from './host-core.ts'
import type { Leak } from './leaks.ts'
import { openForRestore } from './open-for-restore.ts'
import type { GuestSpec, MockHostOptions } from './options.ts'

const CAPABILITIES: readonly Capability[] = ['create', 'log-dirty-pv', 'log-dirty-hvm', 'device-model', 'fast-resume', 'network-buffer', 'disk-epochs', 'restore-beside', 'lock-step', 'packet-taps']

/** Longest step of a virtual clock while guests run, in milliseconds; see `UNSEEN_LIMIT_MS`. */
const STEP_MS = 60_000

/** A simulated host. */
export class MockHost implements HypervisorBackend {
  readonly name = 'mock'
  readonly capabilities: ReadonlySet<Capability> = new Set(CAPABILITIES)
  readonly clock: Clock
  readonly #core: HostCore

  constructor(store: HostStore, options: MockHostOptions) {
    this.clock = options.clock ?? realClock()
    this.#core = new HostCore(store, this.clock, options)
  }

  /** Makes a guest that has booted and runs. @throws BackendError BACKEND_NAME_TAKEN, BACKEND_MEMORY, BACKEND_UNSUPPORTED */
  async createGuest(spec: GuestSpec): Promise<DomId> {
    return (await createGuest(this.#core, spec)) as DomId
  }

  async list(): Promise<readonly DomainSummary[]> {
    await Promise.all(this.#core.store.guests().map(({ record }) => this.#settleHere(record.domId)))
    return this.#core.store.guests().map((stored) => this.#summary(stored))
  }

  config(domId: DomId): Promise<string> {
    return attempt(() => {
      const { config, name } = this.#core.stored(domId).record
      return nameInConfig(config, name)
    })
  }

  async rename(domId: DomId, name: string): Promise<void> {
    await this.#core.store.change((change) => {
      const { record } = this.#core.stored(domId)
      if (change.guests().some((other) => other.name === name && other.domId !== domId)) throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${name} already`)
      change.put({ ...record, name })
    })
  }

  async create(request: CreateRequest): Promise<DomId> {
    return this.createGuest(specOf(request))
  }

  openForSave(domId: DomId): Promise<GuestForSave> {
    return attempt(() => new SaveHandle(this.#core, this.#core.attach(domId)))
  }

  openForRestore(request: RestoreRequest): Promise<GuestForRestore> {
    return openForRestore(this.#core, request)
  }

  async openShadow(domId: DomId): Promise<ShadowPorts> {
    return openShadow(this.#core, domId)
  }

  openTaps(domId: DomId): Promise<readonly PacketTap[]> {
    return attempt(() => openTaps(this.#core, domId))
  }

  lifecycle(domId: DomId): Lifecycle {
    return new MockLifecycle(this.#core, domId)
  }

  /** Ends a guest as if it had done so itself. @throws BackendError BACKEND_NO_SUCH_DOMAIN */
  async end(domId: DomId, reason: Exclude<ShutdownReason, 'suspend'>): Promise<void> {
    this.#core.stored(domId)
    await this.#core.happen(domId, reason)
  }

  /** What callers have taken and not given back; empty when all is well. */
  leaks(): readonly Leak[] {
    return this.#core.ledger.list()
  }

  /** Lets a virtual clock run on, and the guests with it. @throws BackendError BACKEND_UNSUPPORTED when time is not this host's to make. */
  async advance(ms: number): Promise<void> {
    if (!isVirtual(this.clock)) throw new BackendError('BACKEND_UNSUPPORTED', 'the clock of this host runs by itself', { hint: 'make the host with virtualClock()' })
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advance(Math.min(left, STEP_MS))
      await Promise.all(this.#core.store.guests().map(({ record }) => this.#settleHere(record.domId)))
    }
  }

  /** Looks into a guest from outside all rules; for tests and demonstrations. What it gives is the guest's, not to be written. */
  async inspect<T>(domId: DomId, look: (guest: GuestView) => T | Promise<T>): Promise<T> {
    const guest = this.#core.attach(domId)
    try {
      await this.#core.settle(guest)
      return await look(viewOf(guest))
    } finally {
      await this.#core.detach(domId)
    }
  }

  /** Stores all guests that are to last, and lets go of them. */
  close(): Promise<void> {
    return this.#core.close()
  }

  async #settleHere(domId: number): Promise<void> {
    const guest = this.#core.resident(domId)
    if (guest !== undefined && this.#core.store.guest(domId) !== undefined) await this.#core.settle(guest)
  }

  #summary(stored: StoredGuest): DomainSummary {
    const { record } = stored
    const timeline = this.#core.timeline(stored)
    return {
      ...this.#core.facts(record),
      name: record.name,
      uuid: record.uuid,
      dying: false,
      paused: timeline.paused,
      shutdown: timeline.shutdown,
      pages: this.#core.resident(record.domId)?.space.pages ?? record.pages,
      vcpus: record.vcpus,
      cpuTime: BigInt(ranAt(timeline, this.clock.now())) * 1000n,
    }
  }
}

const isVirtual = (clock: Clock): clock is VirtualClock => 'advance' in clock

/** Turns what is thrown into a rejection. */
async function attempt<T>(work: () => T): Promise<T> {
  return Promise.resolve(work())
}
