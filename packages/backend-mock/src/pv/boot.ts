import { fillWords, hash32 } from '../random.ts'
import { COUNTER_PFN, STATE_PFN, StatePage, type StateField } from '../guest/state-page.ts'
import type { PvSpace } from '../memory/pv-space.ts'
import type { Ram } from '../memory/ram.ts'
import { PV_FIRST_FREE, PV_PAGES, addressOf, layoutOf, type VirtualLayout, type Width } from './layout.ts'
import { planP2m, writeP2m, type P2mPages } from './p2m-list.ts'
import { KERNEL, PTE, highOf, lowOf } from './pte.ts'
import { SLOT_PAGES, MAX_SLOTS } from './processes.ts'
import { createSharedInfo, tellP2m } from './shared-info.ts'
import { StartInfo } from './start-info.ts'
import { TableBuilder } from './table-builder.ts'
import { createPvExtras, PvContext, contextBytes } from './vcpu.ts'
import type { PvVcpu } from '@xen-replication/hypervisor'

/** What a PV guest is made from. */
export interface PvPlan {
  readonly ram: Ram
  readonly space: PvSpace
  readonly width: Width
  readonly p2m: 'tree' | 'linear'
  /** pfns, of which the last `ballooned` have no page. All others are populated. */
  readonly pfns: number
  readonly ballooned: number
  readonly vcpus: number
  readonly seed: number
  readonly sharedInfo: { readonly page: Uint8Array; readonly frame: number }
  readonly ports: { readonly store: number; readonly console: number }
  readonly state: Partial<Record<StateField, number>>
  /** Part of the free pages that hold something from the start, 0 to 1. */
  readonly fill: number
}

/** A PV guest that has booted: its vCPUs, and the table to pin. */
export interface BootedPv {
  readonly vcpus: readonly PvVcpu[]
  readonly topTable: number
}

/** Pages without which there is no room for a kernel, its tables, two processes and some work. */
export const LEAST_PV_PAGES = 64
/** Processes of the smallest guests: one that stays and one that comes and goes. */
const LEAST_SLOTS = 2

/** Lays out memory as a kernel has it once it has booted: p2m, page tables over all of it, processes, and the rest to work on. */
export function bootPv(plan: PvPlan): BootedPv {
  const { ram, space, width, pfns } = plan
  const layout = layoutOf(width)
  const list = planP2m(PV_FIRST_FREE, pfns, width, plan.p2m)
  const directPages = Math.min(pfns, layout.directPages)
  const directL1 = list.end
  let next = directL1 + Math.ceil(directPages / 512)
  const tables = new TableBuilder({ ram, space, levels: layout.levels, take: () => next++ })
  const fixL1 = mapAround(tables, { layout, list, directPages, directL1, space })
  const slots = Math.min(MAX_SLOTS, Math.max(LEAST_SLOTS, Math.floor((pfns - plan.ballooned) / 128)))
  const poolStart = next
  const free = poolStart + slots * SLOT_PAGES
  fillDirect(plan, { directL1, directPages, readOnly: [directL1, poolStart] })
  writeP2m(ram, space, list, pfns, width)
  bootRecords(plan, list, tables.top, addressOf(layout.p2m, width))
  const regionPages = pfns - plan.ballooned - free
  fillMemory(plan, free, regionPages)
  new StatePage(ram).create(
    {
      ...plan.state, regionStart: free, regionPages, startInfo: PV_PAGES.startInfo, storePage: PV_PAGES.store, consolePage: PV_PAGES.console,
      topTable: tables.top, directL1, directPages, fixL1, fixIndex: 0, p2mList: list.first, p2mTop: list.top, p2mMid: list.mid,
      p2mFrames: pfns, poolStart, slots, kernelL2: layout.levels === 3 ? tables.table(2, layout.direct) : 0,
    },
    plan.seed,
  )
  return { vcpus: bootVcpus(plan, layout, space.mfn(tables.top)), topTable: tables.top }
}

/** Tables for the direct map (empty yet), the linear p2m list and the fixed mappings. @returns pfn of the L1 table of the last. */
function mapAround(
  tables: TableBuilder,
  { layout, list, directPages, directL1, space }: { layout: VirtualLayout; list: P2mPages; directPages: number; directL1: number; space: PvSpace },
): number {
  for (let i = 0; i * 512 < directPages; i += 1) tables.adopt(layout.direct + i * 512, directL1 + i)
  if (list.top === 0) {
    for (let leaf = 0; leaf < list.leaves; leaf += 1) tables.map(layout.p2m + leaf, space.mfn(list.first + leaf), KERNEL)
  }
  return tables.table(1, layout.fixed)
}

/** The direct map: every page the guest has, page tables and descriptor table read-only. */
function fillDirect(
  { ram, space }: PvPlan,
  { directL1, directPages, readOnly: [from, to] }: { directL1: number; directPages: number; readOnly: readonly [number, number] },
): void {
  for (let table = 0; table * 512 < directPages; table += 1) {
    const words = ram.words(directL1 + table)
    for (let i = 0; i < 512 && table * 512 + i < directPages; i += 1) {
      const pfn = table * 512 + i
      const mfn = space.frame(pfn)
      if (mfn === undefined) continue
      const readOnly = (pfn >= from && pfn < to) || pfn === PV_PAGES.gdt
      words[i * 2] = lowOf(mfn, readOnly ? KERNEL & ~PTE.WRITE : KERNEL)
      words[i * 2 + 1] = highOf(mfn)
    }
    ram.touch(directL1 + table)
  }
}

/** The pages through which guest and Xen know each other. */
function bootRecords(plan: PvPlan, list: P2mPages, topTable: number, address: { readonly low: number; readonly high: number }): void {
  const { ram, space, width, sharedInfo } = plan
  const start = new StartInfo(ram.words(PV_PAGES.startInfo), width)
  start.create()
  start.set('pages', plan.pfns)
  start.set('sharedInfo', sharedInfo.frame * 4096)
  start.set('store', space.mfn(PV_PAGES.store))
  start.set('storePort', plan.ports.store)
  start.set('console', space.mfn(PV_PAGES.console))
  start.set('consolePort', plan.ports.console)
  ram.touch(PV_PAGES.startInfo)
  createSharedInfo(sharedInfo.page, width, 0)
  const linear = list.top === 0 ? { topTable: space.mfn(topTable), address } : undefined
  tellP2m(sharedInfo.page, width, { maxPfn: plan.pfns, tree: list.top === 0 ? 0 : space.mfn(list.top), linear })
}

function fillMemory({ ram, seed, fill }: PvPlan, from: number, pages: number): void {
  for (const pfn of [PV_PAGES.text, PV_PAGES.stack]) writePage(ram, pfn, seed)
  const gdt = ram.words(PV_PAGES.gdt)
  gdt.set([0, 0, 0xffff, 0x00af9b00, 0xffff, 0x00cf9300], 0)
  ram.touch(PV_PAGES.gdt)
  ram.touch(COUNTER_PFN)
  ram.touch(STATE_PFN)
  fillRegion(ram, from, Math.floor(pages * fill), seed)
}

/** Gives pages contents that do not compress. */
export function fillRegion(ram: Ram, from: number, pages: number, seed: number): void {
  for (let pfn = from; pfn < from + pages; pfn += 1) writePage(ram, pfn, seed)
}

function writePage(ram: Ram, pfn: number, seed: number): void {
  fillWords(ram.words(pfn), hash32(seed, pfn))
  ram.touch(pfn)
}

function bootVcpus({ width, vcpus, seed, space }: PvPlan, layout: VirtualLayout, topTable: number): PvVcpu[] {
  return Array.from({ length: vcpus }, (_, id) => {
    const context = new PvContext(new Uint8Array(contextBytes(width)), width)
    const address = (pfn: number): number => (layout.direct + pfn) * 4096
    context.create({ text: address(PV_PAGES.text), stack: address(PV_PAGES.stack), gdt: space.mfn(PV_PAGES.gdt), id, seed })
    context.setTopTables(topTable, 0)
    return { context: context.bytes, ...createPvExtras(id, width, seed) }
  })
}
