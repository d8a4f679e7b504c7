import type { DomId, GuestForSave, MappedFrames } from '@xen-replication/hypervisor'

const PAGE = 4096

/** An HVM guest over one piece of memory, as fast as a guest can be: for measuring. @param dirty pfns that every look at the log finds. */
export function memoryGuest(pages: number, dirty: readonly number[] = []): GuestForSave {
  const ram = new Uint8Array(pages * PAGE).fill(7)
  const bitmap = new Uint8Array(Math.ceil(pages / 8))
  for (const pfn of dirty) bitmap[pfn >> 3] = (bitmap[pfn >> 3] as number) | (1 << (pfn & 7))
  const types = new Uint8Array(1024)
  const nothing = (): Promise<void> => Promise.resolve()
  return {
    facts: { domId: 1 as DomId, kind: 'pvh', width: undefined, maxVcpuId: 0, xen: { major: 4, minor: 17 } },
    memory: {
      frames: () => Promise.resolve(pages),
      types: (frames) => Promise.resolve(types.subarray(0, frames.length)),
      map: (frames) => Promise.resolve(mapped(ram, frames)),
    },
    dirty: { enable: nothing, take: () => Promise.resolve({ bitmap, estimate: dirty.length }), peek: () => Promise.resolve({ bitmap, estimate: 0 }), disable: nothing },
    lifecycle: {
      state: () => Promise.resolve({ dying: false, paused: false, shutdown: 'suspend' }),
      suspend: nothing,
      resume: nothing,
      pause: nothing,
      unpause: nothing,
      destroy: nothing,
    },
    cpu: {
      tsc: () => Promise.resolve({ mode: 0, khz: 1, nsec: 0n, incarnation: 0 }),
      policy: () => Promise.resolve({ cpuid: new Uint8Array(0), msr: new Uint8Array(0) }),
      hvmContext: () => Promise.resolve(new Uint8Array(8192)),
      hvmParam: () => Promise.resolve(0n),
      pvVcpu: () => Promise.resolve(undefined),
    },
    pv: undefined,
    deviceModel: undefined,
    devices: [],
    close: nothing,
  }
}

/** Runs of neighbours are one view each. */
function mapped(ram: Uint8Array, frames: ArrayLike<number>): MappedFrames {
  const page = (i: number): Uint8Array => ram.subarray((frames[i] as number) * PAGE, ((frames[i] as number) + 1) * PAGE)
  const views: Uint8Array[] = []
  for (let from = 0; from < frames.length; ) {
    const first = frames[from] as number
    let end = from + 1
    while (end < frames.length && frames[end] === first + end - from) end++
    views.push(ram.subarray(first * PAGE, (first + end - from) * PAGE))
    from = end
  }
  return { count: frames.length, views, page, close: () => undefined }
}
