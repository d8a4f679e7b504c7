import { hash32 } from '../random.ts'
import type { FrameSpace } from './frame-space.ts'
import type { Run } from './pfn-set.ts'
import { EXTENT_FRAMES, INVALID, type Machine } from './machine.ts'

/** Address space of a PV guest: pfns, each somewhere in machine memory. */
export class PvSpace implements FrameSpace {
  readonly #machine: Machine
  readonly #domId: number
  /** Extents of which nothing is taken. */
  readonly #whole: number[] = []
  #open: { readonly extent: number; taken: number } | undefined
  #p2m = new Uint32Array(0)
  #pages = 0
  #top = 0

  /** @param p2m machine frame of each pfn, {@link INVALID} where there is none, as `table()` gave it. */
  constructor(machine: Machine, domId: number, p2m: Uint32Array = new Uint32Array(0)) {
    this.#machine = machine
    this.#domId = domId
    p2m.forEach((mfn, pfn) => {
      if (mfn !== INVALID) this.#place(pfn, mfn)
    })
    this.stretch(p2m.length)
  }

  get pages(): number {
    return this.#pages
  }

  get top(): number {
    return this.#top
  }

  /** Copy of the table as it is to be stored. */
  table(): Uint32Array {
    return this.#p2m.slice(0, this.#top)
  }

  runs(): Run[] {
    const runs: Run[] = []
    for (let pfn = 0; pfn < this.#top; pfn += 1) {
      const start = pfn
      while (pfn < this.#top && this.#p2m[pfn] !== INVALID) pfn += 1
      if (pfn > start) runs.push([start, pfn - start])
    }
    return runs
  }

  /** Says that pfns up to `top` exist, with or without pages. */
  stretch(top: number): void {
    this.#reach(top - 1)
    this.#top = Math.max(this.#top, top)
  }

  locate(mfn: number): number {
    const pfn = this.#machine.pfn(mfn)
    return pfn !== INVALID && this.#p2m[pfn] === mfn ? pfn : -1
  }

  frame(pfn: number): number | undefined {
    const mfn = this.#p2m[pfn] ?? INVALID
    return mfn === INVALID ? undefined : mfn
  }

  /** As {@link frame}, with all ones for no page. */
  mfn(pfn: number): number {
    return this.#p2m[pfn] ?? INVALID
  }

  populate(pfn: number): number {
    if (this.#open === undefined || this.#open.taken === EXTENT_FRAMES) this.#open = { extent: this.#whole.pop() as number, taken: 0 }
    const { extent, taken } = this.#open
    this.#open.taken += 1
    const turn = hash32(extent, this.#domId)
    const mfn = extent * EXTENT_FRAMES + ((taken * (turn | 1) + (turn >>> 9)) >>> 0) % EXTENT_FRAMES
    this.#place(pfn, mfn)
    return mfn
  }

  populateRun(pfn: number): number | undefined {
    const extent = this.#whole.pop()
    if (extent === undefined) return undefined
    const first = extent * EXTENT_FRAMES
    for (let i = 0; i < EXTENT_FRAMES; i += 1) this.#place(pfn + i, first + i)
    return first
  }

  extentsFor(count: number, order: 0 | 9): number {
    if (order === 9) return Math.max(count - this.#whole.length, 0)
    const left = this.#whole.length * EXTENT_FRAMES + (this.#open === undefined ? 0 : EXTENT_FRAMES - this.#open.taken)
    return Math.max(Math.ceil((count - left) / EXTENT_FRAMES), 0)
  }

  grant(extents: readonly number[]): void {
    this.#whole.push(...extents)
  }

  #place(pfn: number, mfn: number): void {
    this.#reach(pfn)
    this.#p2m[pfn] = mfn
    this.#machine.setPfn(mfn, pfn)
    this.#pages += 1
    this.#top = Math.max(this.#top, pfn + 1)
  }

  #reach(pfn: number): void {
    if (pfn < this.#p2m.length) return
    const table = new Uint32Array(Math.max(pfn + 1, this.#p2m.length * 2)).fill(INVALID)
    table.set(this.#p2m)
    this.#p2m = table
  }
}
