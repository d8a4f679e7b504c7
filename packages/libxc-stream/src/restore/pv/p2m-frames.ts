import { p2mFrameCount, PAGE_BATCH_MAX, PageMap, viewOf } from '@xen-replication/format'
import type { GuestBuilder } from '@xen-replication/hypervisor'
import { framesPerPage, type GuestWidth } from '../../pv/guest-width.ts'
import type { RecordHead } from '../record-head.ts'
import { hex, refused, type StreamPlace } from '../restore-error.ts'
import type { PvPages } from './pv-pages.ts'

const FRONT = 8
const WORD = 8

/** Where the guest keeps its own table from pfn to machine frame, which is to be written anew. */
export class P2mFrames {
  readonly #frames = new PageMap(Float64Array)
  #place: StreamPlace = { offset: 0 }

  /** @throws RestoreError XC_P2M_LENGTH, XC_P2M_RANGE */
  static check(body: Uint8Array, head: RecordHead): void {
    if (body.length < FRONT || body.length % WORD !== 0) throw refused('XC_P2M_LENGTH', head, `${body.length} bytes`)
    const { startPfn, endPfn } = rangeOf(body)
    if (startPfn > endPfn) throw refused('XC_P2M_RANGE', head, `from ${hex(startPfn)} to ${hex(endPfn)}`)
    if (endPfn === 0) throw refused('XC_P2M_RANGE', head, 'the guest has a single page')
  }

  /**
   * Takes in a record; a later one replaces what it names again.
   *
   * @returns the highest pfn of its range.
   * @throws RestoreError XC_P2M_COUNT
   */
  take(body: Uint8Array, head: RecordHead, width: GuestWidth): number {
    const range = rangeOf(body)
    const wanted = p2mFrameCount(range, width)
    const count = (body.length - FRONT) / WORD
    if (count !== wanted) throw refused('XC_P2M_COUNT', head, `${wanted} wanted, ${count} there`)
    const first = Math.floor(range.startPfn / framesPerPage(width))
    const view = viewOf(body)
    for (let i = 0; i < count; i++) this.#frames.set(first + i, Number(view.getBigUint64(FRONT + WORD * i, true)))
    this.#place = head
    return range.endPfn
  }

  /**
   * Writes the table into the guest's own pages.
   *
   * @throws RestoreError XC_P2M_FRAME; BackendError BACKEND_MAP
   */
  async rewrite(memory: GuestBuilder, pages: PvPages, width: GuestWidth): Promise<void> {
    const count = pages.maxPfn < 0 ? 0 : Math.floor(pages.maxPfn / framesPerPage(width)) + 1
    if (this.#frames.size < count) throw refused('XC_P2M_FRAME', this.#place, `${count - this.#frames.size} frames of the list never came`)
    const mfns = new Float64Array(PAGE_BATCH_MAX)
    for (let first = 0; first < count; first += PAGE_BATCH_MAX) {
      const some = Math.min(count - first, PAGE_BATCH_MAX)
      for (let i = 0; i < some; i++) mfns[i] = this.#frame(first + i, pages)
      const mapped = await memory.map(mfns.slice(0, some))
      for (let i = 0; i < some; i++) writePart(mapped.page(i), first + i, pages, width)
      mapped.close()
    }
  }

  #frame(i: number, pages: PvPages): number {
    const pfn = this.#frames.get(i) as number
    const mfn = pages.ordinary(pfn)
    if (mfn < 0) throw refused('XC_P2M_FRAME', this.#place, `frame ${i}, pfn ${hex(pfn)}`)
    return mfn
  }
}

const rangeOf = (body: Uint8Array): { startPfn: number; endPfn: number } => {
  const view = viewOf(body)
  return { startPfn: view.getUint32(0, true), endPfn: view.getUint32(4, true) }
}

/** Fills one page of the table; what lies behind the guest's end stays as it came. */
function writePart(page: Uint8Array, i: number, pages: PvPages, width: GuestWidth): void {
  const view = viewOf(page)
  const first = i * framesPerPage(width)
  const count = Math.min(framesPerPage(width), pages.maxPfn + 1 - first)
  for (let n = 0; n < count; n++) {
    const mfn = pages.mfn(first + n)
    view.setUint32(n * width, mfn < 0 ? 0xffff_ffff : mfn, true)
    if (width === 8) view.setUint32(n * 8 + 4, mfn < 0 ? 0xffff_ffff : Math.floor(mfn / 0x1_0000_0000), true)
  }
}
