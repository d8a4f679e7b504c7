import { PAGE_SIZE } from '@xen-replication/format'
import type { MachineMap, MappedFrames } from '@xen-replication/hypervisor'
import { framesPerPage, tableLevels, type GuestWidth } from '../../pv/guest-width.ts'
import { frameOfEntry, TABLE_ENTRIES, TABLE_WORDS } from '../../pv/page-table.ts'
import { badP2m, lastRun, requireFrame, withFrames } from './frame-list.ts'
import type { P2mLeaves, P2mSearch } from './p2m-tree.ts'

/** Addresses that belong to Xen, first and last. Source: public arch-x86/xen-x86_{64,32}.h, HYPERVISOR_VIRT_*. */
const XEN_RANGE = {
  8: [0xffff_8000_0000_0000n, 0xffff_87ff_ffff_ffffn],
  4: [0xf580_0000n, 0xffff_ffffn],
} as const

/** Where a linear p2m lies: in the guest's address space, below page tables of its own. */
export interface LinearP2m {
  /** Frame of the top page table. */
  readonly root: number
  /** Address of the first entry. */
  readonly address: bigint
}

/**
 * Finds the p2m of a guest that keeps it as one list in its address space.
 *
 * @throws SaveError SAVE_P2M
 */
export async function leavesByList(search: P2mSearch, { root, address }: LinearP2m): Promise<P2mLeaves> {
  const { memory, machine, width } = search
  const perPage = framesPerPage(width)
  requireFrame(root, machine, 'the frame of the p2m’s top page table')
  const from = checkedStart(width, address, Math.floor(search.maxPfn / perPage) + 1)
  let maxPfn = search.maxPfn
  let tables: Float64Array = Float64Array.of(root)
  for (let level: number = tableLevels(width); level > 0; level--) {
    const covered = 2 ** (9 * level + 3) // bytes of address space below one entry
    const first = Math.floor(from / covered)
    const to = from + (Math.floor(maxPfn / perPage) + 1) * PAGE_SIZE - 1
    const count = Math.floor(to / covered) - first + 1
    tables = await withFrames(memory, tables, (mapped) => readEntries(mapped, first % TABLE_ENTRIES, count, level, machine))
    if (level === 2) {
      const kept = (first + lastRun(tables) + 1) * covered - from // bytes of the list
      maxPfn = Math.min(maxPfn, (kept / PAGE_SIZE) * perPage - 1)
      tables = tables.subarray(0, lastRun(tables) + 1)
    }
  }
  return { frames: tables, maxPfn }
}

/** @returns the address without its sign bits. */
function checkedStart(width: GuestWidth, address: bigint, pages: number): number {
  const end = address + BigInt(pages) * BigInt(PAGE_SIZE) - 1n
  const [xenFirst, xenLast] = XEN_RANGE[width]
  const possible = width === 8 ? isCanonical(address) && isCanonical(end) && address >> 63n === end >> 63n : end <= 0xffff_ffffn
  const aligned = address % BigInt(PAGE_SIZE) === 0n
  if (!possible || !aligned || (address <= xenLast && end >= xenFirst)) {
    throw badP2m(`the p2m cannot lie at 0x${address.toString(16)} to 0x${end.toString(16)}`)
  }
  return Number(BigInt.asUintN(48, address))
}

const isCanonical = (address: bigint): boolean => address < 1n << 64n && BigInt.asUintN(64, BigInt.asIntN(48, address)) === address

/** The frames in `count` entries of tables that lie one behind the other. */
function readEntries(mapped: MappedFrames, first: number, count: number, level: number, machine: MachineMap): Float64Array {
  const frames = new Float64Array(count)
  const words = new Uint32Array(TABLE_WORDS)
  const copy = new Uint8Array(words.buffer)
  for (let i = 0; i < count; i++) {
    const slot = (first + i) % TABLE_ENTRIES
    if (i === 0 || slot === 0) copy.set(mapped.page(Math.floor((first + i) / TABLE_ENTRIES)))
    frames[i] = requireFrame(frameOfEntry(words, 0, slot), machine, `entry ${first + i} of level ${level} of the p2m’s page tables`)
  }
  return frames
}
