import type { GuestForRestore, PvBuilder } from '@xen-replication/hypervisor'
import { SHARED_INFO, type TinyGuest } from './tiny-guest.ts'
import { attempt, refuse, type TinyHost } from './tiny-host.ts'

/** A guest that is built. */
export function restoreHandle(host: TinyHost, guest: TinyGuest): GuestForRestore {
  const releases: (() => void)[] = [host.take('handle')]
  let open = true
  let complete = false
  const use = <T>(work: () => T): Promise<T> =>
    attempt(() => {
      if (!open && !host.has('restore-use-closed')) throw refuse('BACKEND_STATE')
      return work()
    })
  const set = (works: boolean, fits: boolean, work: () => unknown): Promise<void> =>
    use(() => {
      if (!fits && !host.has('junk-taken')) throw refuse('BACKEND_CPU_STATE')
      if (works) work()
    })
  return {
    get facts() {
      return host.facts(guest)
    },
    memory: {
      populate: (pfns, order) => use(() => Float64Array.from(pfns, (pfn) => populate(host, guest, pfn, order === 9 ? 512 : 1))),
      map: (frames) => use(() => {
        const closed = host.take('mapping')
        releases.push(closed)
        if (host.has('shared-page-lost') && guest.pfn(frames[0] ?? 0) === SHARED_INFO) guest.pages.set(SHARED_INFO, new Uint8Array(4096))
        return guest.map(Array.from(frames), { copy: false, holes: host.has('restore-map-holes'), closed })
      }),
    },
    cpu: {
      setTsc: (tsc) => set(!host.has('tsc-dropped'), true, () => (guest.tsc = tsc)),
      setPolicy: () => set(true, true, () => undefined),
      setHvmContext: (bytes) => set(!host.has('context-dropped'), bytes.length === 5168, () => (guest.context = bytes.slice())),
      setHvmParam: (index, value) => set(true, true, () => guest.params.set(index, value)),
      setPvVcpu: (_id, _part, bytes) => set(true, bytes.length === 5168, () => undefined),
    },
    lifecycle: host.lifecycle(host.facts(guest).domId),
    rings: { store: { port: 1, domId: 0 }, console: { port: 2, domId: 0 } },
    pv: guest.kind === 'pv' ? pvOf(host, guest, use) : undefined,
    deviceModel: guest.kind === 'hvm' ? { setState: () => use(() => undefined), setXenstore: () => use(() => undefined) } : undefined,
    complete: () => use(() => {
      complete = true
      guest.building = false
      if (host.has('complete-runs')) guest.paused = false
    }),
    close: () => attempt(() => {
      open = false
      for (const release of releases) release()
      if (complete ? host.has('complete-lost') : !host.has('close-keeps')) host.guests.delete(guest.domId)
    }),
  }
}

function populate(host: TinyHost, guest: TinyGuest, pfn: number, count: number): number {
  if (host.has('populate-forgets')) guest.pages.clear()
  const shared = new Uint8Array(4096)
  for (let i = 0; i < (host.has('run-short') ? 1 : count); i++) guest.pages.set(pfn + i, host.has('populate-shared') ? (guest.pages.values().next().value ?? shared) : new Uint8Array(4096))
  return guest.frame(pfn)
}

function pvOf(host: TinyHost, guest: TinyGuest, use: <T>(work: () => T) => Promise<T>): PvBuilder {
  return {
    machine: { maxMfn: 0xff_ffff, pfn: (mfn) => (host.has('new-m2p-wrong') ? 0 : guest.pfn(mfn)), compatFirstMfn: undefined },
    sharedInfoFrame: () => use(() => guest.frame(SHARED_INFO)),
    width: () => use(() => guest.width),
    setWidth: (width) => use(() => void (guest.width = host.has('width-stuck') ? 8 : width)),
    pin: (tables) => use(() => {
      const good = tables.every(({ mfn }) => guest.page(mfn)?.every((byte) => byte === 0) === true)
      if (!good && !host.has('pin-anything')) throw refuse('BACKEND_PAGE_TABLE')
    }),
  }
}
