import type { FrameSpace } from './frame-space.ts'
import { EXTENT_FRAMES } from './machine.ts'
import { PfnSet, type Run } from './pfn-set.ts'

/** Address space of an HVM guest: gfns, with holes. Machine frames are only counted. */
export class HvmSpace implements FrameSpace {
  readonly #populated = new PfnSet()
  #extents = 0

  constructor(extents: number, runs: Iterable<Run> = []) {
    this.#extents = extents
    for (const run of runs) this.#populated.addRun(run)
  }

  get pages(): number {
    return this.#populated.size
  }

  get top(): number {
    return this.#populated.top
  }

  runs(): Run[] {
    return [...this.#populated.runs()]
  }

  locate(gfn: number): number {
    return this.#populated.has(gfn) ? gfn : -1
  }

  frame(gfn: number): number | undefined {
    return this.#populated.has(gfn) ? gfn : undefined
  }

  populate(gfn: number): number {
    this.#populated.add(gfn)
    return gfn
  }

  populateRun(gfn: number): number {
    this.#populated.addRun([gfn, EXTENT_FRAMES])
    return gfn
  }

  extentsFor(count: number, order: 0 | 9): number {
    const pages = order === 9 ? count * EXTENT_FRAMES : count
    return Math.max(Math.ceil((this.pages + pages) / EXTENT_FRAMES) - this.#extents, 0)
  }

  grant(extents: readonly number[]): void {
    this.#extents += extents.length
  }
}
