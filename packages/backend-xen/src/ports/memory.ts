import { BackendError, FRAMES_PER_CALL, PAGE_SIZE, type GuestMemory, type MappedFrames } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import { HYPERCALL, type HypercallBuffer } from '../hypercall/hypercall.ts'
import { COMMAND, stable } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import { writeStruct } from '../hypercall/struct.ts'
import { FrameArray, setFrame } from '../platform/frame-array.ts'
import type { ForeignPages } from '../platform/foreign-memory.ts'
import type { Platform } from '../platform/platform.ts'

/** Where XEN_DOMCTL_PFINFO_* starts in an answer. */
const TYPE_SHIFT = 28
/** How often types are asked for when memory of ours was not there. */
const TRIES = 3

/** Frames that are mapped, as the ports give them. */
export class Mapped implements MappedFrames {
  readonly count: number
  readonly #pages: ForeignPages
  readonly #closed: () => void
  #open = true

  constructor(pages: ForeignPages, closed: () => void) {
    this.#pages = pages
    this.#closed = closed
    this.count = pages.bytes.length / PAGE_SIZE
  }

  get views(): readonly Uint8Array[] {
    this.#check()
    return this.count === 0 ? [] : [this.#pages.bytes]
  }

  page(i: number): Uint8Array {
    this.#check()
    if (!(i >= 0 && i < this.count)) throw new BackendError('BACKEND_MAP', `frame ${i} of ${this.count} that are mapped`)
    return this.#pages.bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#pages.unmap()
    this.#closed()
  }

  #check(): void {
    if (!this.#open) throw new BackendError('BACKEND_STATE', 'frames are looked at that are mapped no more')
  }
}

/** Mappings of one guest, which end with their owner at the latest. */
export class Mappings {
  readonly #platform: Platform
  readonly #domId: number
  readonly #frames = new FrameArray(FRAMES_PER_CALL)
  readonly #open = new Set<Mapped>()

  constructor(platform: Platform, domId: number) {
    this.#platform = platform
    this.#domId = domId
  }

  /** @throws BackendError BACKEND_MAP */
  map(frames: ArrayLike<number>, access: 'read' | 'write'): Mapped {
    const list = frames.length <= FRAMES_PER_CALL ? this.#frames : new FrameArray(frames.length)
    const pages = frames.length === 0 ? { bytes: new Uint8Array(0), unmap: () => undefined } : this.#platform.foreign.map(this.#domId, list.of(frames), access)
    const mapped = new Mapped(pages, () => this.#open.delete(mapped))
    this.#open.add(mapped)
    return mapped
  }

  close(): void {
    for (const mapped of [...this.#open]) mapped.close()
  }
}

/** Memory of a guest that is read. */
export class XenMemory implements GuestMemory {
  readonly #platform: Platform
  readonly #domId: number
  readonly #mappings: Mappings
  readonly #types: HypercallBuffer
  readonly #words: Uint32Array
  #open = true

  constructor(platform: Platform, domId: number) {
    this.#platform = platform
    this.#domId = domId
    this.#mappings = new Mappings(platform, domId)
    this.#types = platform.hypercalls.allocate(FRAMES_PER_CALL * 8)
    this.#words = new Uint32Array(this.#types.bytes.buffer, this.#types.bytes.byteOffset, FRAMES_PER_CALL * 2)
  }

  async frames(): Promise<number> {
    this.#check()
    return Promise.resolve(maximumGpfn(this.#platform, this.#domId, this.#types) + 1)
  }

  async types(frames: ArrayLike<number>): Promise<Uint8Array> {
    this.#check()
    const count = frames.length
    if (count > FRAMES_PER_CALL) throw new BackendError('BACKEND_MEMORY', `types of ${count} frames were asked for, ${FRAMES_PER_CALL} is the most`)
    this.#ask(frames)
    const types = new Uint8Array(count)
    for (let i = 0; i < count; i++) types[i] = (this.#words[2 * i] as number) >>> TYPE_SHIFT
    return Promise.resolve(types)
  }

  /** Memory for hypercalls may be moved under them where /dev/xen/hypercall is missing; it is there the next time. Source: xc_private.c. */
  #ask(frames: ArrayLike<number>): void {
    for (let tries = 1; ; tries++) {
      for (let i = 0; i < frames.length; i++) setFrame(this.#words, i, frames[i] as number)
      const { result } = this.#platform.domctl.try(this.#domId, 'pageInfo', { count: BigInt(frames.length), array: this.#types.address })
      if (result >= 0) return
      if (result !== -ERRNO.EFAULT || tries === TRIES) throw refused('BACKEND_MEMORY', `page types of domain ${this.#domId}`, -result)
    }
  }

  async map(frames: ArrayLike<number>): Promise<MappedFrames> {
    this.#check()
    return Promise.resolve(this.#mappings.map(frames, 'read'))
  }

  close(): void {
    this.#open = false
    this.#mappings.close()
    this.#types.free()
  }

  #check(): void {
    if (!this.#open) throw new BackendError('BACKEND_STATE', `domain ${this.#domId} was closed`)
  }
}

/** Highest gfn of an HVM or PVH guest. @param scratch any buffer. */
function maximumGpfn({ hypercalls }: Platform, domId: number, scratch: HypercallBuffer): number {
  writeStruct(stable.maximumGpfn, scratch.bytes, 0, { domain: domId })
  const result = hypercalls.call(HYPERCALL.memoryOp, COMMAND.maximumGpfn, scratch.address)
  if (result < 0) throw refused('BACKEND_MEMORY', `the highest page of domain ${domId} is not told`, -result)
  return result
}
