import { INVALID } from '../memory/machine.ts'
import type { PvSpace } from '../memory/pv-space.ts'
import type { Ram } from '../memory/ram.ts'
import { framesPerPage, type Width } from './layout.ts'

/** Pages that hold a guest's own p2m: leaves side by side, and above them a tree unless the list is linear. */
export interface P2mPages {
  readonly first: number
  readonly leaves: number
  readonly mid: number
  readonly mids: number
  /** 0 for a linear list. */
  readonly top: number
}

/** @returns where each page of it goes from `first` on, and how many pages that takes. */
export function planP2m(first: number, pfns: number, width: Width, kind: 'tree' | 'linear'): P2mPages & { readonly end: number } {
  const leaves = Math.ceil(pfns / framesPerPage(width))
  if (kind === 'linear') return { first, leaves, mid: 0, mids: 0, top: 0, end: first + leaves }
  const mids = Math.ceil(leaves / framesPerPage(width))
  return { first, leaves, mid: first + leaves, mids, top: first + leaves + mids, end: first + leaves + mids + 1 }
}

/** The guest writes down where its pages are: leaves, then the tree. Entries behind the last repeat it, as Linux has them. */
export function writeP2m(ram: Ram, space: PvSpace, plan: P2mPages, pfns: number, width: Width): void {
  const each = framesPerPage(width)
  for (let leaf = 0; leaf < plan.leaves; leaf += 1) {
    fill(ram, plan.first + leaf, width, (i) => {
      const pfn = leaf * each + i
      return pfn < pfns ? space.mfn(pfn) : INVALID
    })
  }
  writeTree(ram, (pfn) => space.mfn(pfn), plan, width)
}

/** The tree alone; its entries are frames of pages, which change when a guest is restored. */
export function writeTree(ram: Ram, mfnOf: (pfn: number) => number, plan: P2mPages, width: Width): void {
  if (plan.top === 0) return
  const each = framesPerPage(width)
  for (let mid = 0; mid < plan.mids; mid += 1) {
    fill(ram, plan.mid + mid, width, (i) => mfnOf(plan.first + Math.min(mid * each + i, plan.leaves - 1)))
  }
  fill(ram, plan.top, width, (i) => mfnOf(plan.mid + Math.min(i, plan.mids - 1)))
}

/** What the guest's own list says of a pfn. */
export function lookUp(ram: Ram, first: number, pfn: number, width: Width): number {
  const each = framesPerPage(width)
  return ram.read32(first + Math.floor(pfn / each), (pfn % each) * (width / 4))
}

function fill(ram: Ram, pfn: number, width: Width, entry: (i: number) => number): void {
  const words = ram.words(pfn)
  const each = framesPerPage(width)
  const step = width / 4
  for (let i = 0; i < each; i += 1) {
    const mfn = entry(i)
    words[i * step] = mfn
    if (step === 2) words[i * 2 + 1] = mfn === INVALID ? INVALID : 0
  }
  ram.touch(pfn)
}
