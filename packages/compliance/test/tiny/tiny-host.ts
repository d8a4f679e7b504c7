import { BackendError, type BackendErrorCode, type Capability, type Clock, type CreateRequest, type DomainSummary, type DomId, type GuestFacts, type GuestForRestore, type GuestForSave, type GuestKind, type HypervisorBackend, type Lifecycle, type PacketTap, type RestoreRequest, type ShadowPorts } from '@xen-replication/hypervisor'
import { SHARED_INFO, TinyGuest } from './tiny-guest.ts'
import { restoreHandle } from './tiny-restore.ts'
import { saveHandle } from './tiny-save.ts'

export const refuse = (code: BackendErrorCode): BackendError => new BackendError(code, 'no')

/** A host that does all it should, or all but one thing. */
export class TinyHost implements HypervisorBackend {
  readonly name = 'tiny'
  readonly capabilities: ReadonlySet<Capability>
  readonly clock: Clock
  readonly guests = new Map<number, TinyGuest>()
  readonly held = new Map<string, number>()
  readonly fault: string
  #time = 1e9

  constructor(kind: GuestKind, fault = '') {
    this.fault = fault
    this.capabilities = new Set(kind === 'hvm' ? ['create'] : [])
    this.clock = {
      now: () => (this.#time += this.has('clock-back') ? -1 : 1),
      sleep: (_ms, signal) => (signal?.aborted === true ? Promise.reject(new Error(String(signal.reason).replace('Error: ', ''))) : Promise.resolve()),
    }
    const first = this.add(kind, 'demo')
    for (let pfn = 0; pfn < 32; pfn++) first.pages.set(pfn, new Uint8Array(4096).fill(pfn + 100))
  }

  has(fault: string): boolean {
    return this.fault === fault
  }

  add(kind: GuestKind, name: string): TinyGuest {
    const guest = new TinyGuest(this.guests.size + 1, kind, name)
    this.guests.set(guest.domId, guest)
    if (kind === 'pv') guest.pages.set(SHARED_INFO, new Uint8Array(4096))
    return guest
  }

  take(what: string): () => void {
    this.held.set(what, (this.held.get(what) ?? 0) + 1)
    let open = true
    return () => {
      if (!open) return
      open = false
      const left = (this.held.get(what) ?? 0) - 1
      if (left > 0) this.held.set(what, left)
      else this.held.delete(what)
    }
  }

  guest(domId: number): TinyGuest {
    const guest = this.guests.get(domId)
    if (guest === undefined) throw refuse(this.has('vague-missing') ? 'BACKEND_STATE' : 'BACKEND_NO_SUCH_DOMAIN')
    return guest
  }

  facts({ domId, kind, width }: TinyGuest): GuestFacts {
    return { domId: domId as DomId, kind, width: kind === 'pv' ? width : undefined, maxVcpuId: 0, xen: { major: 4, minor: 19 } }
  }

  list(): Promise<readonly DomainSummary[]> {
    return Promise.resolve(
      [...this.guests.values()].map((guest) => ({
        ...this.facts(guest), name: guest.name, uuid: `u${guest.domId}`, pages: guest.pages.size + 1, vcpus: 1, cpuTime: 0n, dying: false,
        paused: this.has('list-paused') || guest.paused, shutdown: guest.suspended ? ('suspend' as const) : undefined,
      })),
    )
  }

  config(domId: DomId): Promise<string> {
    return attempt(() => (this.has('config-text') ? `name = '${this.guest(domId).name}'` : JSON.stringify({ c_info: { name: this.guest(domId).name } })))
  }

  rename(domId: DomId, name: string): Promise<void> {
    return attempt(() => {
      const guest = this.guest(domId)
      this.#requireFree(name)
      if (!this.has('rename-nothing')) guest.name = name
    })
  }

  create({ settings }: CreateRequest): Promise<DomId> {
    return attempt(() => {
      const can = this.has('create-unsaid') || (this.capabilities.has('create') && !this.has('create-refused'))
      if (!can || Object.keys(settings).length > 0) throw refuse('BACKEND_UNSUPPORTED')
      return this.add('pvh', 'made').domId as DomId
    })
  }

  openForSave(domId: DomId): Promise<GuestForSave> {
    return attempt(() => saveHandle(this, this.guest(domId)))
  }

  openForRestore({ kind, name }: RestoreRequest): Promise<GuestForRestore> {
    return attempt(() => {
      this.#requireFree(name)
      const guest = this.add(kind, name)
      guest.building = true
      guest.paused = !this.has('restore-running')
      return restoreHandle(this, guest)
    })
  }

  openShadow(): Promise<ShadowPorts> {
    return Promise.reject(refuse('BACKEND_UNSUPPORTED'))
  }

  openTaps(): Promise<readonly PacketTap[]> {
    return Promise.reject(refuse('BACKEND_UNSUPPORTED'))
  }

  lifecycle(domId: DomId): Lifecycle {
    const set = (change: (guest: TinyGuest) => void): Promise<void> => attempt(() => change(this.guest(domId)))
    return {
      state: () => attempt(() => ({ dying: false, paused: this.guest(domId).paused, shutdown: this.guest(domId).suspended ? ('suspend' as const) : undefined })),
      suspend: () => set((guest) => void (guest.suspended = true)),
      resume: (how) => set((guest) => void (guest.suspended &&= this.has('resume-nothing') && how === 'resumed')),
      pause: () => set((guest) => void (guest.paused = true)),
      unpause: () => set((guest) => void (guest.paused = false)),
      destroy: () => Promise.resolve(void (this.has('destroy-stays') || this.guests.delete(domId))),
    }
  }

  /** Lets running guests write. */
  pass(): void {
    for (const guest of this.guests.values()) {
      const runs = guest.runs || (this.has('suspend-runs') && guest.suspended) || (this.has('pause-runs') && guest.paused && !guest.building)
      if (runs) guest.write()
      if (runs && this.has('context-live')) guest.context[0] = ((guest.context[0] ?? 0) + 1) & 0xff
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #requireFree(name: string): void {
    if (!this.has('same-name') && [...this.guests.values()].some((guest) => guest.name === name)) throw refuse('BACKEND_NAME_TAKEN')
  }
}

export function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
