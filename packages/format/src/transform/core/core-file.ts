import { PAGE_SIZE } from '../../bytes/limits.ts'
import { FormatError } from '../../format-error.ts'
import { joinedList } from '../../bytes/joined.ts'
import type { ImageBytes } from '../image-bytes.ts'
import { memoryOf } from '../page-contents.ts'
import type { Snapshot } from '../snapshot.ts'
import { checkedSize, type MemoryLimits, type SparseOutput } from '../sparse-output.ts'
import { coreHead, headerSize, statusNote, type ElfClass, type Segment } from './elf.ts'
import { registersOf } from './registers.ts'
import { mergedRuns, runsOf, type PfnRun } from '../pfn-runs.ts'

/** Most PT_LOAD segments; gaps between more runs of pages are filled with zeros. */
const SEGMENTS_MAX = 1000
/** Memory begins here at the earliest, so that the place of a page can be told without reading the headers of most files. */
const HEAD_MIN = 64 * 1024

/** A core file and what it says of the guest. */
export interface CoreFile extends SparseOutput {
  readonly elfClass: ElfClass
  readonly segments: number
  readonly vcpus: number
  /** Byte at which pfn 0 is or would be. */
  readonly base: number
}

/**
 * A guest as an ELF core file for crash and gdb: a note with the registers of each vCPU and memory by (pseudo-)physical address; virtual
 * addresses in it are the same. The page of pfn N is at `base` + 4096 × N.
 *
 * Page tables of PV guests hold pseudo-physical frame numbers, as in the image, so debuggers can follow them. A 32-bit PV guest
 * gives a 32-bit file.
 *
 * @throws FormatError FMT_PFN_RANGE when the file would be larger than allowed, FMT_BODY_SIZE when registers cannot be read.
 */
export function coreFile(image: ImageBytes, snapshot: Snapshot, limits: MemoryLimits): CoreFile {
  const registers = registersOf(image, snapshot)
  const elfClass: ElfClass = registers.some(({ bits }) => bits === 32) ? 32 : 64
  const notes = joinedList(registers.map(statusNote))
  const exact = runsOf(snapshot.pages.contents())
  const runs = mergedRuns(exact, SEGMENTS_MAX)
  const base = Math.max(HEAD_MIN, roundUp(headerSize(elfClass, runs.length) + notes.length))
  const end = endOf(exact)
  const size = checkedSize(base + end * PAGE_SIZE, end, limits)
  if (elfClass === 32) refuseAbove4GiB(size)
  const head = coreHead(elfClass, runs.map((run) => segmentOf(run, base)), notes)
  return {
    size,
    pages: exact.reduce((sum, { count }) => sum + count, 0),
    elfClass,
    segments: runs.length,
    vcpus: registers.length,
    base,
    pieces: function* () {
      yield { at: 0, bytes: head }
      for (const { pfn, bytes } of memoryOf(image, snapshot.pages.contents())) yield { at: base + pfn * PAGE_SIZE, bytes }
    },
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE

const endOf = (runs: readonly PfnRun[]): number => {
  const last = runs.at(-1)
  return last === undefined ? 0 : last.from + last.count
}

const segmentOf = ({ from, count }: PfnRun, base: number): Segment => ({ offset: base + from * PAGE_SIZE, address: from * PAGE_SIZE, size: count * PAGE_SIZE })

function refuseAbove4GiB(size: number): void {
  if (size < 0x1_0000_0000) return
  throw new FormatError('FMT_PFN_RANGE', `a 32-bit guest with a core file of ${size} bytes; 32-bit ELF files end at 4 GiB`, {
    hint: 'take its memory as a flat file with `xr extract --memory`',
  })
}
