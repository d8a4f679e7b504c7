import type { Run } from '../memory/pfn-set.ts'

/** Special pages of an HVM guest, by gfn. Source: tools/libs/guest/xg_dom_x86.c, tools/firmware/hvmloader. */
export const HVM_PAGES = {
  ioreqServers: 0xfeff0, paging: 0xfeff8, access: 0xfeff9, sharing: 0xfeffa, bufferedIo: 0xfeffb, store: 0xfeffc, io: 0xfeffd, identityTable: 0xfeffe, console: 0xfefff,
} as const
const IOREQ_SERVER_PAGES = 8
const SPECIAL: Run = [HVM_PAGES.paging, 8]

/** Memory ends here at most, and goes on above 4 GiB. */
const MMIO_START = 0xf0000
const HIGH_START = 0x100000
/** Where the VGA card shows its memory. */
const VGA: Run = [0xa0, 0x20]

/** Page that Xen itself writes: the shared_info page of the guest's PV drivers. */
export const XEN_PFN = 18
/** Page into which the device model reads from disk. */
export const DMA_PFN = 19
/** First page for a workload; before it are boot records and the state. */
const HVM_REGION = 0x100

/** Runs of gfns that a new guest has, ascending. */
export function hvmRuns(kind: 'pvh' | 'hvm', pages: number): Run[] {
  const runs: Run[] = []
  let left = pages
  const add = (start: number, room: number): void => {
    const count = Math.min(left, room)
    if (count > 0) runs.push([start, count])
    left -= count
  }
  if (kind === 'hvm') {
    add(0, VGA[0])
    add(VGA[0] + VGA[1], MMIO_START - VGA[0] - VGA[1])
    runs.push([HVM_PAGES.ioreqServers, IOREQ_SERVER_PAGES])
  } else add(0, MMIO_START)
  runs.push(SPECIAL)
  add(HIGH_START, left)
  return runs
}

/** Pages of a guest's memory that a workload may use: one run below the hole. */
export function hvmRegion(kind: 'pvh' | 'hvm', pages: number): Run {
  const end = Math.min(kind === 'hvm' ? pages + VGA[1] : pages, MMIO_START)
  return [HVM_REGION, end - HVM_REGION]
}

/** Fewer pages leave no room for a workload. */
export const LEAST_HVM_PAGES = HVM_REGION + 16
