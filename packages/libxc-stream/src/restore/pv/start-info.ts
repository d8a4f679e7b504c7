import { viewOf } from '@xen-replication/format'
import type { GuestBuilder, RingPorts } from '@xen-replication/hypervisor'
import type { GuestWidth } from '../../pv/guest-width.ts'
import { disconnectConsole } from '../console-ring.ts'
import type { RingFrames } from '../guests/guest-target.ts'
import { hex, refused, type StreamPlace } from '../restore-error.ts'
import type { PvPages } from './pv-pages.ts'
import { withPage } from '../with-page.ts'
import { setWord, wordAt } from './vcpu-context.ts'

/** Places in the start_info page, in bytes. Source: public xen.h, start_info. */
const LAYOUT = {
  8: { pages: 32, sharedInfo: 40, flags: 48, storeMfn: 56, storePort: 64, consoleMfn: 72, consolePort: 80 },
  4: { pages: 32, sharedInfo: 36, flags: 40, storeMfn: 44, storePort: 48, consoleMfn: 52, consolePort: 56 },
} as const

/** What start_info tells the guest about its new host. */
export interface StartInfoScene {
  readonly memory: GuestBuilder
  readonly pages: PvPages
  readonly width: GuestWidth
  readonly rings: RingPorts
  readonly sharedInfoFrame: number
}

/**
 * Fits the start_info page to this host, and has the console be reconnected.
 *
 * @param pfn where vCPU 0 says it is.
 * @returns frames of start_info and the rings.
 * @throws RestoreError XC_START_INFO, XC_START_INFO_RING; BackendError BACKEND_MAP
 */
export async function fitStartInfo(scene: StartInfoScene, pfn: number, place: StreamPlace): Promise<RingFrames & { readonly mfn: number }> {
  const { memory, pages, width, rings, sharedInfoFrame } = scene
  const mfn = pages.ordinary(pfn)
  if (mfn < 0) throw refused('XC_START_INFO', place, `pfn ${hex(pfn)}`)
  const at = LAYOUT[width]
  const ring = (view: DataView, where: number): number => {
    const ringPfn = wordAt(view, where, width)
    const frame = pages.mfn(ringPfn)
    if (frame < 0) throw refused('XC_START_INFO_RING', place, `pfn ${hex(ringPfn)} at byte ${where} of start_info`)
    setWord(view, where, width, frame)
    return frame
  }
  const frames = await withPage(memory, mfn, (page) => {
    const view = viewOf(page)
    const found = { mfn, store: ring(view, at.storeMfn), console: ring(view, at.consoleMfn) }
    setWord(view, at.pages, width, pages.maxPfn + 1)
    setWord(view, at.sharedInfo, width, sharedInfoFrame * 4096)
    view.setUint32(at.flags, 0, true)
    view.setUint32(at.storePort, rings.store.port, true)
    view.setUint32(at.consolePort, rings.console.port, true)
    return found
  })
  await withPage(memory, frames.console, disconnectConsole)
  return frames
}
