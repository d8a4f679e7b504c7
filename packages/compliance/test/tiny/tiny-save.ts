import type { CpuState, DirtyLog, GuestForSave, GuestMemory, PvView } from '@xen-replication/hypervisor'
import { SHARED_INFO, type TinyGuest } from './tiny-guest.ts'
import { attempt, refuse, type TinyHost } from './tiny-host.ts'

/** A guest to be read. */
export function saveHandle(host: TinyHost, guest: TinyGuest): GuestForSave {
  const releases: (() => void)[] = [host.take('handle')]
  let open = true
  const look = <T>(work: () => T): Promise<T> =>
    attempt(() => {
      if (!open && !host.has('use-closed')) throw refuse('BACKEND_STATE')
      return work()
    })
  const pv: PvView | undefined = guest.kind === 'pv' ? { machine: { maxMfn: 0xff_ffff, pfn: (mfn) => (host.has('m2p-wrong') ? 0 : guest.pfn(mfn)), compatFirstMfn: undefined }, sharedInfoFrame: guest.frame(SHARED_INFO) } : undefined
  const { dirty, stop } = dirtyOf(host, guest, look)
  let stopModel = (): void => undefined
  return {
    facts: host.facts(guest),
    memory: memoryOf(host, guest, look, releases),
    dirty,
    lifecycle: host.lifecycle(host.facts(guest).domId),
    cpu: cpuOf(host, guest, look),
    pv,
    deviceModel: guest.kind !== 'hvm' ? undefined : {
      logDirty: (state) => look(() => {
        if (state === 'off' || !host.has('model-log-leaks')) stopModel()
        if (state === 'on') stopModel = host.take('model')
      }),
      state: () => look(() => (host.has('model-junk') ? Uint8Array.of(0) : Uint8Array.of(0x51, 0x45, 0x56, 0x4d, 1))),
      xenstore: () => look(() => [['a', 'b'] as const]),
    },
    devices: [],
    close: () => attempt(() => {
      open = false
      stop()
      stopModel()
      if (!host.has('close-leaks')) for (const release of releases) release()
    }),
  }
}

type Look = <T>(work: () => T) => Promise<T>

function memoryOf(host: TinyHost, guest: TinyGuest, look: Look, releases: (() => void)[]): GuestMemory {
  return {
    frames: () => look(() => Math.max(...guest.pages.keys()) + 1),
    types: (frames) => look(() => {
      if (frames.length > 1024 && !host.has('types-unlimited')) throw refuse('BACKEND_MEMORY')
      return Uint8Array.from(frames, (frame) => (guest.page(frame) === undefined && !host.has('types-all-there') ? 15 : 0))
    }),
    map: (frames) => look(() => {
      const wanted = host.has('map-sorted') ? [...(frames as number[])].sort((a, b) => a - b) : Array.from(frames)
      const closed = host.take('mapping')
      releases.push(closed)
      try {
        const mapped = guest.map(wanted, { copy: host.has('map-copies'), holes: host.has('map-holes'), closed: host.has('map-leaks') ? () => undefined : closed })
        return host.has('views-short') ? { ...mapped, views: mapped.views.slice(1) } : mapped
      } catch (error) {
        closed()
        throw error
      }
    }),
  }
}

function dirtyOf(host: TinyHost, guest: TinyGuest, look: Look): { dirty: DirtyLog; stop: () => void } {
  let release = (): void => undefined
  const stop = (): void => {
    if (!host.has('dirty-without')) guest.dirty = undefined
    if (!host.has('disable-leaks')) release()
  }
  const fetch = (pages: number, clear: boolean): Uint8Array => {
    if (guest.dirty === undefined) throw refuse('BACKEND_LOG_DIRTY')
    const bitmap = new Uint8Array(Math.ceil(pages / 8)).fill(host.has('dirty-all') ? 0xff : 0)
    if (!host.has('dirty-once') || guest.looks === 0) for (const pfn of guest.dirty) bitmap[pfn >> 3] = (bitmap[pfn >> 3] ?? 0) | (1 << (pfn & 7))
    guest.looks++
    if (clear) guest.dirty.clear()
    return bitmap
  }
  const dirty: DirtyLog = {
    enable: () => look(() => {
      if (host.has('enable-once') && guest.looks < 0) return
      guest.dirty = new Set()
      release = host.take('log-dirty')
    }),
    take: (pages, last) => look(() => {
      if (host.has('last-empty') && last === 'last') guest.dirty?.clear()
      return { bitmap: fetch(pages, !host.has('dirty-sticky')), estimate: guest.dirty?.size ?? 0 }
    }),
    peek: (pages) => look(() => ({ bitmap: fetch(pages, host.has('peek-clears')), estimate: 0 })),
    disable: () => look(() => {
      stop()
      guest.looks = -1
    }),
  }
  return { dirty, stop }
}

function cpuOf(host: TinyHost, guest: TinyGuest, look: Look): CpuState {
  let reads = 0
  const context = (): Uint8Array => {
    if (host.has('context-changes')) guest.context[1] = reads++
    return host.has('context-live') ? guest.context : guest.context.slice()
  }
  return {
    tsc: () => look(() => guest.tsc),
    policy: () => look(() => ({ cpuid: new Uint8Array(host.has('policy-odd') ? 23 : 24), msr: new Uint8Array(16) })),
    hvmContext: () => look(context),
    hvmParam: (index) => look(() => guest.params.get(index) ?? (host.has('param-made-up') ? 1n : 0n)),
    pvVcpu: () => look(() => ({ context: context(), extended: new Uint8Array(128), xsave: new Uint8Array(8), msrs: new Uint8Array(16) })),
  }
}
