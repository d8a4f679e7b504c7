import type { GuestMemory, MachineMap, MappedFrames } from '@xen-replication/hypervisor'
import { framesPerPage, type GuestWidth } from '../../pv/guest-width.ts'
import { frameAt } from '../../pv/p2m.ts'
import { badP2m, lastRun, requireFrame, withFrames } from './frame-list.ts'

/** The pages of a guest's p2m. */
export interface P2mLeaves {
  readonly frames: Float64Array
  /** Highest pfn, which may be lower than the guest said. */
  readonly maxPfn: number
}

/** What is needed to find them. */
export interface P2mSearch {
  readonly memory: GuestMemory
  readonly machine: MachineMap
  readonly width: GuestWidth
  /** As the guest says. */
  readonly maxPfn: number
}

/**
 * Finds the p2m of a guest that keeps it as a tree of three levels.
 *
 * @param top frame of the list of lists.
 * @throws SaveError SAVE_P2M
 */
export async function leavesByTree(search: P2mSearch, top: number): Promise<P2mLeaves> {
  const { memory, machine, width } = search
  const perPage = framesPerPage(width)
  const perList = perPage * perPage
  const lists = Math.floor(search.maxPfn / perList) + 1
  if (lists > perPage) throw badP2m(`highest pfn ${search.maxPfn} is beyond what a p2m tree can hold`)
  requireFrame(top, machine, 'the frame of the p2m’s list of lists')
  const read = (what: string, mapped: MappedFrames, count: number): Float64Array => readList(what, mapped, count, width, machine)
  const middle = await withFrames(memory, Float64Array.of(top), (mapped) => read('entry of the p2m’s list of lists', mapped, lists))
  const maxPfn = Math.min(search.maxPfn, (lastRun(middle) + 1) * perList - 1)
  const used = middle.subarray(0, Math.floor(maxPfn / perList) + 1)
  const leaves = Math.floor(maxPfn / perPage) + 1
  return { maxPfn, frames: await withFrames(memory, used, (mapped) => read('entry of the p2m’s lists', mapped, leaves)) }
}

/** Copies a list that stretches over several pages, so that what is tested is what is used. */
function readList(what: string, mapped: MappedFrames, count: number, width: GuestWidth, machine: MachineMap): Float64Array {
  const perPage = framesPerPage(width)
  const list = new Float64Array(count)
  for (let page = 0; page * perPage < count; page++) {
    const bytes = mapped.page(page)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const end = Math.min(count, (page + 1) * perPage)
    for (let i = page * perPage; i < end; i++) list[i] = requireFrame(frameAt(view, i - page * perPage, width), machine, `${what} ${i}`)
  }
  return list
}
