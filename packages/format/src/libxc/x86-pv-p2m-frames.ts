import { u32 } from '../bytes/field.ts'
import { struct } from '../bytes/struct.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { pfnsCodec } from '../frame/pfns.ts'
import { recordCodec } from '../frame/record.ts'
import { XC } from './record-types.ts'

/** Where a PV guest keeps its table from pfn to machine frame. */
export interface X86PvP2mFrames {
  readonly startPfn: number
  /** The last pfn of the table, not the one after it. */
  readonly endPfn: number
  /** The pfn of each page of the table. */
  readonly frames: readonly number[]
}

const what = 'X86_PV_P2M_FRAMES'
const front = struct(8, { startPfn: u32, endPfn: u32 })

export const x86PvP2mFrames = recordCodec<X86PvP2mFrames>(
  XC.X86_PV_P2M_FRAMES,
  what,
  'libxc-migration-stream, "X86_PV_P2M_FRAMES"',
  frontAndRest({ what, front, key: 'frames', rest: pfnsCodec(what) }),
)

/** Pages of the table that a range of pfns needs. @param guestWidth bytes of a table entry, 4 or 8. */
export function p2mFrameCount({ startPfn, endPfn }: Pick<X86PvP2mFrames, 'startPfn' | 'endPfn'>, guestWidth: number): number {
  const perFrame = 4096 / guestWidth
  return Math.floor(endPfn / perFrame) + 1 - Math.floor(startPfn / perFrame)
}
