import type { PvSpace } from '../memory/pv-space.ts'
import type { Ram } from '../memory/ram.ts'
import type { Width } from './layout.ts'
import { listIn, renewList } from './shared-info.ts'
import { StartInfo } from './start-info.ts'
import type { PvContext } from './vcpu.ts'

interface Place {
  readonly ram: Ram
  readonly space: PvSpace
  readonly width: Width
  readonly sharedInfo: { readonly page: Uint8Array }
}

/**
 * The little that a PV guest saved elsewhere would do when it is suspended and goes on. Its code does not run here; without this it could
 * not be saved a second time.
 */
export class ForeignKernel {
  readonly #at: Place
  readonly #context: PvContext

  constructor(place: Place, context: PvContext) {
    this.#at = place
    this.#context = context
  }

  /** Frame numbers in start_info become pfns. */
  beforeSuspend(): void {
    this.#startInfo((frame) => {
      const pfn = this.#at.space.locate(frame)
      return pfn < 0 ? frame : pfn
    })
  }

  /** They become frames again, and a linear p2m list is found through the page table of now. */
  afterSuspend(): void {
    const { space, sharedInfo, width } = this.#at
    this.#startInfo((value) => (space.locate(value) < 0 ? (space.frame(value) ?? value) : value))
    if (listIn(sharedInfo.page, width) === 'linear') renewList(sharedInfo.page, width, this.#context.topTables.kernel)
  }

  #startInfo(change: (frame: number) => number): void {
    const { ram, space, width } = this.#at
    const pfn = space.locate(this.#context.register('rdx'))
    if (pfn < 0) return
    const start = new StartInfo(ram.words(pfn), width)
    start.set('store', change(start.get('store')))
    start.set('console', change(start.get('console')))
    ram.touch(pfn)
  }
}
