import { BackendError, type MachineMap } from '@xen-replication/hypervisor'
import { HYPERCALL } from '../hypercall/hypercall.ts'
import { COMMAND, stable } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import { readStruct, writeStruct } from '../hypercall/struct.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import { DOMID_XEN, type ForeignPages } from '../platform/foreign-memory.ts'
import { getFrame } from '../platform/frame-array.ts'
import type { Platform } from '../platform/platform.ts'

/** Xen tells of its table in chunks of 2 MiB: 512 pages, of 8 bytes for each machine frame. */
const CHUNK_PAGES = 512
const CHUNK_FRAMES = (CHUNK_PAGES * 4096) / 8
const LIST_AT = 64

/** Xen's table from machine frames to pfns, of which a part is mapped when it is first looked at. */
export class XenMachineMap implements MachineMap {
  readonly maxMfn: number
  readonly compatFirstMfn: number | undefined
  readonly #platform: Platform
  readonly #starts: Float64Array
  readonly #chunks: (Uint32Array | undefined)[] = []
  readonly #mapped: ForeignPages[] = []
  #open = true

  /** @param compat whether the guest has 32 bits. @throws BackendError BACKEND_MAP, BACKEND_DENIED */
  constructor(platform: Platform, compat: 'compat' | 'native') {
    this.#platform = platform
    this.maxMfn = maximumRamPage(platform)
    this.#starts = chunkStarts(platform, COMMAND.machphysList, Math.ceil((this.maxMfn + 1) / CHUNK_FRAMES))
    this.compatFirstMfn = compat === 'compat' ? chunkStarts(platform, COMMAND.machphysCompatList, 1)[0] : undefined
  }

  pfn(mfn: number): number {
    const chunk = Math.floor(mfn / CHUNK_FRAMES)
    return getFrame(this.#chunks[chunk] ?? this.#map(chunk), mfn % CHUNK_FRAMES)
  }

  close(): void {
    this.#open = false
    this.#chunks.length = 0
    for (const pages of this.#mapped.splice(0)) pages.unmap()
  }

  #map(chunk: number): Uint32Array {
    if (!this.#open) throw new BackendError('BACKEND_STATE', 'the table of machine frames was closed')
    const start = this.#starts[chunk]
    const words = start === undefined ? new Uint32Array(CHUNK_FRAMES * 2).fill(0xffffffff) : this.#mapFrom(start)
    this.#chunks[chunk] = words
    return words
  }

  #mapFrom(start: number): Uint32Array {
    const frames = BigUint64Array.from({ length: CHUNK_PAGES }, (_, i) => BigInt(start + i))
    const pages = this.#platform.foreign.map(DOMID_XEN, frames, 'read')
    this.#mapped.push(pages)
    return new Uint32Array(pages.bytes.buffer, pages.bytes.byteOffset, CHUNK_FRAMES * 2)
  }
}

function maximumRamPage({ hypercalls }: Platform): number {
  const result = hypercalls.call(HYPERCALL.memoryOp, COMMAND.maximumRamPage, 0)
  if (result < 0) throw refused('BACKEND_MAP', 'the highest machine frame is not told', -result)
  return result
}

/** First machine frame of each part of a table. */
function chunkStarts({ hypercalls }: Platform, command: number, most: number): Float64Array {
  return withBuffer(hypercalls, LIST_AT + most * 8, ({ address, bytes }) => {
    writeStruct(stable.machphysList, bytes, 0, { most, list: address + BigInt(LIST_AT) })
    const result = hypercalls.call(HYPERCALL.memoryOp, command, address)
    if (result < 0) throw refused('BACKEND_MAP', 'the machine-to-physical table is not told', -result)
    const { count } = readStruct(stable.machphysList, bytes, 0)
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + LIST_AT, most * 2)
    return Float64Array.from({ length: Math.min(count, most) }, (_, i) => getFrame(words, i))
  })
}
