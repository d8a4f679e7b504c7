import { PAGE_WORDS, type Ram } from '../memory/ram.ts'
import { nextBelow } from '../random.ts'
import type { StatePage } from '../guest/state-page.ts'
import { layoutOf, type Width } from './layout.ts'
import { lookUp } from './p2m-list.ts'
import type { PageTypes } from './page-types.ts'
import { ENTRIES, KERNEL, PAE_TOP_ENTRIES, PTE, TABLE, USER, XEN_L4_SLOTS, XEN_PAE_L2_SLOTS, highOf, indexAt, lowOf } from './pte.ts'

/** Pages that the tables of a process take: top, two in the middle, one at the bottom. */
export const SLOT_PAGES = 4
/** Most processes at a time; the state page has a bit for each. */
export const MAX_SLOTS = 16
/** Pages of memory a process maps. */
const PROCESS_PAGES = 32

/** What a kernel needs to change page tables. */
export interface TableWork {
  readonly ram: Ram
  readonly types: PageTypes
  readonly state: StatePage
  readonly width: Width
}

/** A process begins or ends, whichever the guest's generator says; its page tables come or go with it. @throws RefusedTable */
export function changeProcesses(work: TableWork): void {
  const { state } = work
  const slots = state.get('slots')
  if (slots < 2) return
  const slot = 1 + nextBelow(state.words, state.rng, slots - 1) // the first process never ends
  const alive = (state.get('alive') >>> slot) & 1
  if (alive === 1) endProcess(work, slot)
  else startProcess(work, slot)
  state.set('alive', state.get('alive') ^ (1 << slot))
}

/** Starts the first process, and half of the others that there is room for. @returns pfn of the first one's top table; undefined without room. */
export function bootProcesses(work: TableWork): number | undefined {
  const { state } = work
  const slots = state.get('slots')
  if (slots === 0) return undefined
  for (let slot = 0; slot <= slots / 2 && slot < slots; slot += 1) {
    startProcess(work, slot)
    state.set('alive', state.get('alive') | (1 << slot))
  }
  return slotPages(state, 0)[0]
}

/** Tables are written as ordinary memory, made read-only, and then handed to Xen. */
function startProcess(work: TableWork, slot: number): void {
  const { ram, state, types, width } = work
  const { levels, user } = layoutOf(width)
  const pages = slotPages(state, slot)
  for (const pfn of pages) {
    ram.words(pfn).fill(0)
    ram.touch(pfn)
  }
  const [top, upper, middle, bottom] = pages as [number, number, number, number]
  if (levels === 4) {
    copyKernel(work, state.get('topTable'), top, ENTRIES)
    link(work, top, indexAt(4, user), upper, TABLE)
    link(work, upper, indexAt(3, user), middle, TABLE)
  } else {
    copyKernel(work, state.get('kernelL2'), upper, XEN_PAE_L2_SLOTS.first)
    link(work, top, PAE_TOP_ENTRIES - 1, upper, PTE.PRESENT)
    link(work, top, indexAt(3, user), middle, PTE.PRESENT)
  }
  link(work, middle, indexAt(2, user), bottom, TABLE)
  for (let i = 0; i < PROCESS_PAGES; i += 1) {
    const pfn = state.get('regionStart') + nextBelow(state.words, state.rng, state.get('regionPages'))
    link(work, bottom, (indexAt(1, user) + i) % ENTRIES, pfn, USER)
  }
  for (const pfn of pages) protect(work, pfn, KERNEL & ~PTE.WRITE)
  types.pin(top, levels)
}

/** The pages go back to ordinary use with what was in them. */
function endProcess(work: TableWork, slot: number): void {
  const pages = slotPages(work.state, slot)
  work.types.unpin(pages[0] as number)
  for (const pfn of pages) protect(work, pfn, KERNEL)
}

/** Kernel mappings are the same in all processes; Xen's slots are for Xen to fill. */
function copyKernel({ ram }: TableWork, from: number, to: number, entries: number): void {
  const kernel = ram.words(from).slice(0, Math.min(entries * 2, PAGE_WORDS))
  if (entries === ENTRIES) kernel.fill(0, XEN_L4_SLOTS.first * 2, (XEN_L4_SLOTS.last + 1) * 2)
  ram.words(to).set(kernel)
}

function link({ ram, state, width }: TableWork, table: number, index: number, pfn: number, flags: number): void {
  const mfn = lookUp(ram, state.get('p2mList'), pfn, width)
  ram.write32(table, index * 2, lowOf(mfn, flags))
  ram.write32(table, index * 2 + 1, highOf(mfn))
}

/** Changes how the direct map shows a page; asked of Xen, as the entry lies in a table in use. */
function protect({ ram, state, types, width }: TableWork, pfn: number, flags: number): void {
  if (pfn >= state.get('directPages')) return
  const mfn = lookUp(ram, state.get('p2mList'), pfn, width)
  types.write(state.get('directL1') + Math.floor(pfn / ENTRIES), pfn % ENTRIES, lowOf(mfn, flags), highOf(mfn))
}

const slotPages = (state: StatePage, slot: number): number[] => Array.from({ length: SLOT_PAGES }, (_, i) => state.get('poolStart') + slot * SLOT_PAGES + i)
