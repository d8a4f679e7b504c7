import { BackendError, FRAMES_PER_CALL, type GuestBuilder, type MappedFrames } from '@xen-replication/hypervisor'
import { HYPERCALL, type HypercallBuffer } from '../hypercall/hypercall.ts'
import { COMMAND, stable } from '../hypercall/layouts.ts'
import { ERRNO, errnoName } from '../hypercall/errno.ts'
import { refused } from '../hypercall/refused.ts'
import { writeStruct } from '../hypercall/struct.ts'
import { getFrame, setFrame } from '../platform/frame-array.ts'
import type { Platform } from '../platform/platform.ts'
import { Mappings } from './memory.ts'

/** The list of pages behind the arguments, in one buffer. */
const LIST_AT = 64

/** Memory of a guest that is being built. */
export class XenBuilder implements GuestBuilder {
  readonly #platform: Platform
  readonly #domId: number
  readonly #mappings: Mappings
  readonly #buffer: HypercallBuffer
  readonly #list: Uint32Array
  readonly #check: () => void

  /** @param check throws when the guest may no longer be written. */
  constructor(platform: Platform, domId: number, check: () => void) {
    this.#platform = platform
    this.#domId = domId
    this.#check = check
    this.#mappings = new Mappings(platform, domId)
    this.#buffer = platform.hypercalls.allocate(LIST_AT + FRAMES_PER_CALL * 8)
    this.#list = new Uint32Array(this.#buffer.bytes.buffer, this.#buffer.bytes.byteOffset + LIST_AT, FRAMES_PER_CALL * 2)
  }

  async populate(pfns: ArrayLike<number>, order: 0 | 9): Promise<Float64Array | undefined> {
    this.#check()
    const frames = new Float64Array(pfns.length)
    for (let from = 0; from < pfns.length; from += FRAMES_PER_CALL) {
      const count = Math.min(FRAMES_PER_CALL, pfns.length - from)
      for (let i = 0; i < count; i++) setFrame(this.#list, i, pfns[from + i] as number)
      const done = this.#populate(count, order)
      if (done < count && order === 9) return undefined
      if (done < count) throw this.#lacking(done, count)
      for (let i = 0; i < count; i++) frames[from + i] = getFrame(this.#list, i)
    }
    return Promise.resolve(frames)
  }

  async map(frames: ArrayLike<number>): Promise<MappedFrames> {
    this.#check()
    return Promise.resolve(this.#mappings.map(frames, 'write'))
  }

  close(): void {
    this.#mappings.close()
    this.#buffer.free()
  }

  #populate(count: number, order: 0 | 9): number {
    const { hypercalls } = this.#platform
    writeStruct(stable.populate, this.#buffer.bytes, 0, { extents: this.#buffer.address + BigInt(LIST_AT), count: BigInt(count), order, flags: 0, domain: this.#domId })
    return hypercalls.call(HYPERCALL.memoryOp, COMMAND.populate, this.#buffer.address)
  }

  #lacking(done: number, count: number): BackendError {
    if (done < 0 && done !== -ERRNO.ENOMEM) return refused('BACKEND_MEMORY', `domain ${this.#domId} gets no memory`, -done)
    const why = done < 0 ? errnoName(-done) : `${done} of ${count} pages`
    return new BackendError('BACKEND_MEMORY', `domain ${this.#domId} gets not all of its memory: ${why}`, { hint: 'the host has too little free memory, or the guest wants more than its configuration says; see `xl info`' })
  }
}
