import { cr3ToPfn32, cr3ToPfn64 } from '@xen-replication/format'
import type { GuestMemory, PvView } from '@xen-replication/hypervisor'
import type { GuestWidth } from '../../pv/guest-width.ts'
import { NO_FRAME, P2m } from '../../pv/p2m.ts'
import type { SharedInfoView } from '../../pv/shared-info.ts'
import { hex } from '../save-error.ts'
import { badP2m } from './frame-list.ts'
import { leavesByList } from './p2m-list.ts'
import { leavesByTree, type P2mLeaves } from './p2m-tree.ts'

/** Most pfns an image can tell of: X86_PV_P2M_FRAMES holds the highest one in 32 bits. */
const PAGES_MAX = 2 ** 32

/** A guest's p2m, and where it lies in the guest itself. */
export interface FoundP2m {
  readonly p2m: P2m
  /** pfns of the p2m's own pages. */
  readonly leafPfns: readonly number[]
  /** Counts the guest's changes to the way there; undefined for guests that do not count. */
  readonly generation: bigint | undefined
  close(): void
}

/**
 * Finds and maps a PV guest's p2m from what it says in its shared_info page.
 *
 * @throws SaveError SAVE_P2M; BackendError BACKEND_MAP
 */
export async function findP2m(memory: GuestMemory, { machine }: PvView, width: GuestWidth, shared: SharedInfoView): Promise<FoundP2m> {
  const cr3 = shared.get('p2mCr3')
  const generation = cr3 === 0n ? undefined : shared.get('p2mGeneration')
  const pages = shared.get('maxPfn')
  if (pages < 1n || pages > PAGES_MAX) throw badP2m(`the guest says that it has ${pages.toString()} pfns`)
  const search = { memory, machine, width, maxPfn: Number(pages) - 1 }
  const leaves =
    cr3 === 0n
      ? await leavesByTree(search, Number(shared.get('frameListList')))
      : await leavesByList(search, { root: frameOfCr3(cr3, width), address: shared.get('p2mVaddr') })
  const mapped = await memory.map(leaves.frames)
  try {
    const p2m = new P2m(mapped, leaves.maxPfn + 1, width, machine)
    return { p2m, leafPfns: pfnsOf(leaves, p2m), generation, close: () => mapped.close() }
  } catch (error) {
    mapped.close()
    throw error
  }
}

/** Frame in a cr3, which 32-bit guests rotate. */
export const frameOfCr3 = (cr3: bigint, width: GuestWidth): number => (width === 8 ? Number(cr3ToPfn64(cr3)) : cr3ToPfn32(Number(cr3)))

function pfnsOf({ frames }: P2mLeaves, p2m: P2m): readonly number[] {
  return Array.from(frames, (mfn, i) => {
    const pfn = p2m.pfn(mfn)
    if (pfn === NO_FRAME) throw badP2m(`page ${i} of the p2m is in frame ${hex(mfn)}, which is not the guest’s by its own p2m`)
    return pfn
  })
}

