import type { MockHost } from '@xen-replication/backend-mock'
import { newXlHeader, sinkOfBytes, xlBlock, xlHeaderCodec } from '@xen-replication/format'
import type { DomId, GuestForSave } from '@xen-replication/hypervisor'
import { openImageSaver, type SaveObserver } from '@xen-replication/libxc-stream'
import { openStreamWriter, writeStream } from '@xen-replication/libxl-stream'
import { over } from '../domains/bench.ts'

/** Time that passes for a guest between two looks at what it wrote, in milliseconds. */
const STEP_MS = 40

/** Lets a guest work while it is saved. */
const working = (host: MockHost): SaveObserver => (event) => {
  if (event.type === 'pass-begin' && event.pass === 'live') void host.advance(STEP_MS)
}

/** The libxl stream of a guest, which stands suspended afterwards. */
export async function streamOf(host: MockHost, domId: DomId, mode: 'stopped' | 'live'): Promise<Uint8Array> {
  return withGuest(host, domId, async (guest) => {
    const sink = sinkOfBytes()
    await writeStream(guest, sink, { mode, observe: working(host) })
    return sink.bytes()
  })
}

/** The libxl stream of a guest as it stands, whatever it stands for. */
export async function imageOf(host: MockHost, domId: DomId): Promise<Uint8Array> {
  return withGuest(host, domId, async (guest) => {
    const sink = sinkOfBytes()
    const lifecycle = { suspend: () => Promise.resolve(), state: () => Promise.resolve({ dying: false, paused: false, shutdown: 'suspend' }) }
    const deviceModel = guest.deviceModel && over(guest.deviceModel, { logDirty: () => Promise.resolve() }) // somebody may be logging
    await writeStream(over(guest, { lifecycle, deviceModel }), sink, { mode: 'stopped', holes: 'left-out' }) // a million entries of nothing are not compared
    return sink.bytes()
  })
}

/** A stream of checkpoints: all of it, where each of them ends in it, and what the guest was then. */
export interface Checkpoints {
  readonly stream: Uint8Array
  readonly ends: readonly number[]
  readonly images: readonly Uint8Array[]
}

/** Makes a stream of checkpoints of a guest that works between them; it stands suspended afterwards. */
export async function checkpointsOf(host: MockHost, domId: DomId, count: number, holes: 'as-xen' | 'left-out'): Promise<Checkpoints> {
  return withGuest(host, domId, async (guest) => {
    const sink = sinkOfBytes()
    const [ends, images]: [number[], Uint8Array[]] = [[], []]
    const saver = await openImageSaver(guest, { mode: 'checkpointed', holes, observe: working(host) })
    try {
      const writer = openStreamWriter(guest, saver)
      await writer.begin(sink)
      for (let i = 0; i < count; i += 1) {
        if (i > 0) await guest.lifecycle.resume('cancelled')
        if (i > 0) await host.advance(STEP_MS)
        await writer.checkpoint(sink)
        await writer.completeCheckpoint(sink)
        ends.push(sink.bytes().length)
        images.push(await imageOf(host, domId))
      }
    } finally {
      await saver.close()
    }
    return { stream: sink.bytes(), ends, images }
  })
}

/** The same stream as an `xl` file. @param config libxl JSON of the guest */
export function xlFileOf(stream: Uint8Array, config: string): Buffer {
  const block = xlBlock.encode({ config: Buffer.from(`${config}\0`), rest: new Uint8Array(0) })
  return Buffer.concat([xlHeaderCodec.encode(newXlHeader(block.length)), block, stream])
}

async function withGuest<T>(host: MockHost, domId: DomId, work: (guest: GuestForSave) => Promise<T>): Promise<T> {
  const guest = await host.openForSave(domId)
  try {
    return await work(guest)
  } finally {
    await guest.close()
  }
}
