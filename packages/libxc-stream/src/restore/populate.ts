import { PAGE, PAGE_BATCH_MAX, PageMap } from '@xen-replication/format'
import type { GuestBuilder } from '@xen-replication/hypervisor'

/** Pages of a 2 MiB run. */
const RUN = 512

/** Told where each page of the guest lies. */
export type Placed = (pfn: number, frame: number) => void

/** Gives the guest its memory as pfns turn up, each once. Source: xg_sr_restore.c, populate_pfns(). */
export class Populator {
  readonly #memory: GuestBuilder
  readonly #placed: Placed
  readonly #populated = new PageMap()
  readonly #todo = new Float64Array(PAGE_BATCH_MAX)

  constructor(memory: GuestBuilder, placed: Placed) {
    this.#memory = memory
    this.#placed = placed
  }

  has(pfn: number): boolean {
    return this.#populated.get(pfn) !== undefined
  }

  /**
   * Populates those of at most 1024 pfns that are not, where they have a page at all. Whole runs of 2 MiB are asked for as such.
   *
   * @param types of the pages; without them all pfns have one.
   * @throws BackendError BACKEND_MEMORY
   */
  async add(pfns: ArrayLike<number>, types?: ArrayLike<number>): Promise<void> {
    let count = 0
    let run = 0 // pfns at the end of `#todo` that follow each other
    for (let i = 0; i < pfns.length; i++) {
      const pfn = pfns[i] as number
      if ((types !== undefined && !hasPage(types[i] as number)) || this.#populated.set(pfn, 1) !== undefined) continue
      run = count > 0 && this.#todo[count - 1] === pfn - 1 ? run + 1 : 1
      this.#todo[count++] = pfn
      if (run >= RUN && pfn % RUN === RUN - 1 && (await this.#wholeRun(pfn + 1 - RUN))) {
        count -= RUN
        run = 0
      }
    }
    if (count > 0) await this.#singly(this.#todo.subarray(0, count))
  }

  async #wholeRun(first: number): Promise<boolean> {
    const frames = await this.#memory.populate(Float64Array.of(first), 9)
    if (frames === undefined) return false
    for (let i = 0; i < RUN; i++) this.#placed(first + i, (frames[0] as number) + i)
    return true
  }

  async #singly(pfns: Float64Array): Promise<void> {
    const frames = (await this.#memory.populate(pfns, 0)) as Float64Array
    for (let i = 0; i < pfns.length; i++) this.#placed(pfns[i] as number, frames[i] as number)
  }
}

const hasPage = (type: number): boolean => type !== PAGE.XTAB && type !== PAGE.BROKEN
