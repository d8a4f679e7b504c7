import type { DeviceModel, DomId, GuestForSave, GuestKind, MappedFrames } from '@xen-replication/hypervisor'

const PAGE = 4096

export interface SmallSource {
  readonly guest: GuestForSave
  readonly ram: Uint8Array
  /** Has these pages count as written at the next look. */
  touch(pfns: readonly number[]): void
  /** Calls in their order. */
  readonly calls: readonly string[]
}

/** An HVM or PVH guest to be saved: `pages` of memory, one vCPU. */
export function smallSource(kind: Exclude<GuestKind, 'pv'>, pages: number, deviceModel?: Partial<DeviceModel>): SmallSource {
  const ram = new Uint8Array(pages * PAGE).map((_, i) => (i >> 12) + i)
  const bitmap = new Uint8Array(Math.ceil(pages / 8))
  const calls: string[] = []
  let suspended = false
  let dirty: readonly number[] = []
  const done = (name: string) => (): Promise<void> => Promise.resolve(void calls.push(name))
  const look = (): Promise<{ bitmap: Uint8Array; estimate: number }> => {
    bitmap.fill(0)
    for (const pfn of dirty) bitmap[pfn >> 3] = (bitmap[pfn >> 3] as number) | (1 << (pfn & 7))
    const estimate = dirty.length
    dirty = []
    return Promise.resolve({ bitmap, estimate })
  }
  const guest: GuestForSave = {
    facts: { domId: 1 as DomId, kind, width: undefined, maxVcpuId: 0, xen: { major: 4, minor: 17 } },
    memory: {
      frames: () => Promise.resolve(pages),
      types: (frames) => Promise.resolve(new Uint8Array(frames.length)),
      map: (frames) => Promise.resolve(mapped(ram, Array.from(frames))),
    },
    dirty: { enable: done('enable'), take: look, peek: look, disable: done('disable') },
    lifecycle: {
      state: () => Promise.resolve({ dying: false, paused: false, shutdown: suspended ? 'suspend' : undefined }),
      suspend: () => Promise.resolve(void (suspended = true)),
      resume: () => Promise.resolve(void (suspended = false)),
      pause: done('pause'),
      unpause: done('unpause'),
      destroy: done('destroy'),
    },
    cpu: {
      tsc: () => Promise.resolve({ mode: 0, khz: 1, nsec: 2n, incarnation: 3 }),
      policy: () => Promise.resolve({ cpuid: new Uint8Array(24), msr: new Uint8Array(16) }),
      hvmContext: () => Promise.resolve(new Uint8Array(64).fill(1)),
      hvmParam: () => Promise.resolve(0n),
      pvVcpu: () => Promise.resolve(undefined),
    },
    pv: undefined,
    deviceModel:
      kind === 'pvh'
        ? undefined
        : { logDirty: (state) => done(`device model ${state}`)(), state: () => Promise.resolve(Uint8Array.of(0x51, 0x45, 0x56, 0x4d, 9)), xenstore: () => Promise.resolve([]), ...deviceModel },
    devices: [],
    close: done('close'),
  }
  return { guest, ram, calls, touch: (pfns) => void (dirty = pfns) }
}

function mapped(ram: Uint8Array, frames: readonly number[]): MappedFrames {
  const views = frames.map((frame) => ram.subarray(frame * PAGE, (frame + 1) * PAGE))
  return { count: frames.length, views, page: (i) => views[i] as Uint8Array, close: () => undefined }
}
