import { ByteReader, type ByteSource } from '@xen-replication/format'
import type { DomId, GuestForRestore, MappedFrames } from '@xen-replication/hypervisor'
import { bench, describe } from 'vitest'
import { openImageRestorer } from '../../src/restore/image-restorer.ts'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { StreamFeed } from '../../src/restore/stream-feed.ts'
import { checkpoint, end, join, ordinary, pageData, start, staticEnd } from './stream-of.ts'

const PAGE = 4096
const PAGES = 65_536 // 256 MiB
const BATCH = 1024
const DIRTY = 2400
/** Bytes a socket gives at once. */
const PIECE = 64 * 1024

/** A PVH guest over one piece of memory, as fast as a guest can be. */
function memoryGuest(ram: Uint8Array): GuestForRestore {
  const nothing = (): Promise<void> => Promise.resolve()
  const mapped = (frames: ArrayLike<number>): MappedFrames => {
    const page = (i: number): Uint8Array => ram.subarray((frames[i] as number) * PAGE, ((frames[i] as number) + 1) * PAGE)
    const views: Uint8Array[] = []
    for (let from = 0; from < frames.length; ) {
      const first = frames[from] as number
      let to = from + 1
      while (to < frames.length && frames[to] === first + to - from) to++
      views.push(ram.subarray(first * PAGE, (first + to - from) * PAGE))
      from = to
    }
    return { count: frames.length, views, page, close: () => undefined }
  }
  return {
    facts: { domId: 1 as DomId, kind: 'pvh', width: undefined, maxVcpuId: 0, xen: { major: 4, minor: 17 } },
    memory: { populate: (pfns) => Promise.resolve(Float64Array.from(pfns)), map: (frames) => Promise.resolve(mapped(frames)) },
    cpu: { setTsc: nothing, setPolicy: nothing, setHvmContext: nothing, setHvmParam: nothing, setPvVcpu: nothing },
    lifecycle: { state: () => Promise.resolve({ dying: false, paused: true, shutdown: undefined }), suspend: nothing, resume: nothing, pause: nothing, unpause: nothing, destroy: nothing },
    rings: { store: { port: 1, domId: 0 }, console: { port: 2, domId: 0 } },
    pv: undefined,
    deviceModel: undefined,
    complete: nothing,
    close: nothing,
  }
}

const batch = (first: number, step: number, count: number): Uint8Array => pageData(...Array.from({ length: count }, (_, i) => ordinary(first + step * i)))

/** The same batches over and over, so that making the bytes costs nothing. */
function sourceOf(head: Uint8Array, batches: readonly Uint8Array[], tail: Uint8Array): ByteSource {
  const parts = [head, ...batches, tail]
  let part = 0
  let at = 0
  return {
    read: (max) => {
      while (at === parts[part]?.length) {
        part++
        at = 0
      }
      const bytes = parts[part]?.subarray(at, at + Math.min(max, PIECE))
      at += bytes?.length ?? 0
      return bytes
    },
  }
}

const ram = new Uint8Array(PAGES * PAGE).fill(1)
const head = join(start(), staticEnd)
const all = Array.from({ length: PAGES / BATCH }, (_, i) => batch(i * BATCH, 1, BATCH))

describe('an image of 256 MiB, 65536 pages', () => {
  bench('restored', async () => {
    await restoreImage(new ByteReader(sourceOf(head, all, end)), memoryGuest(ram), { mode: 'plain' })
  })
  bench('its bytes only copied', () => {
    let at = 0
    for (const bytes of all) {
      ram.set(bytes.subarray(bytes.length - BATCH * PAGE), at)
      at += BATCH * PAGE
    }
  })
})

describe('a checkpoint of 2400 scattered pages', async () => {
  const dirty = [0, 1, 2].map((i) => batch(1 + 27 * 800 * i, 27, DIRTY / 3))
  const restorer = await openImageRestorer(memoryGuest(ram), { mode: 'checkpointed' })
  await restorer.readSegment(new StreamFeed(new ByteReader(sourceOf(head, [], checkpoint))))
  await restorer.apply()
  bench('held back, then applied', async () => {
    await restorer.readSegment(new StreamFeed(new ByteReader(sourceOf(new Uint8Array(0), dirty, checkpoint))))
    await restorer.apply()
  })
})
