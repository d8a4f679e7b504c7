import type { MachineMap, MappedFrames } from '@xen-replication/hypervisor'
import { framesPerPage, type GuestWidth } from './guest-width.ts'

/** In place of a frame number where there is none. */
export const NO_FRAME = -1

/** Frame numbers from here on are none: x86 has 52 bits for addresses' frames in its tables at most. */
const FRAME_END = 2 ** 52

/** Reads entry `i` of a guest's own list of frames. @returns NO_FRAME for all ones and for what no machine has. */
export function frameAt(view: DataView, i: number, width: GuestWidth): number {
  const low = view.getUint32(i * width, true)
  if (width === 4) return low === 0xffff_ffff ? NO_FRAME : low
  const frame = view.getUint32(i * 8 + 4, true) * 0x1_0000_0000 + low
  return frame < FRAME_END ? frame : NO_FRAME
}

/** A PV guest's table from pfn to machine frame as it is at every moment, and the way back. */
export class P2m {
  /** One above the highest pfn of the table. */
  readonly pages: number
  readonly #width: GuestWidth
  readonly #machine: MachineMap
  readonly #groups: readonly DataView[]
  readonly #perGroup: number

  /** @param leaves the pages of the table in their order; the caller keeps them mapped. */
  constructor(leaves: MappedFrames, pages: number, width: GuestWidth, machine: MachineMap) {
    const [only] = leaves.views
    const side = leaves.views.length === 1 && only !== undefined ? [only] : Array.from({ length: leaves.count }, (_, i) => leaves.page(i))
    this.#groups = side.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
    this.#perGroup = (leaves.count / side.length) * framesPerPage(width)
    this.pages = pages
    this.#width = width
    this.#machine = machine
  }

  /** @param pfn below `pages`. @returns NO_FRAME where the guest has no page. */
  mfn(pfn: number): number {
    const group = Math.floor(pfn / this.#perGroup)
    return frameAt(this.#groups[group] as DataView, pfn - group * this.#perGroup, this.#width)
  }

  /** @returns NO_FRAME unless host and guest agree on whose frame it is. */
  pfn(mfn: number): number {
    if (mfn > this.#machine.maxMfn) return NO_FRAME
    const pfn = this.#machine.pfn(mfn)
    return pfn < this.pages && this.mfn(pfn) === mfn ? pfn : NO_FRAME
  }
}
