import { viewOf } from '../bytes/struct.ts'
import { PAGE } from '../libxc/page-data.ts'
import { framePages } from './check-pv.ts'
import type { Report } from './findings.ts'
import type { PageRecall } from './page-recall.ts'
import type { ImageState } from './state.ts'

/** Where a vcpu_guest_context keeps what the restorer follows. Sizes and offsets in bytes. */
interface Layout {
  readonly word: 4 | 8
  readonly gdtFrames: number
  readonly gdtEntries: number
  readonly cr1: number
  readonly cr3: number
  readonly edx: number
  /** In start_info: the frames of xenstore and console. */
  readonly rings: readonly [store: number, console: number]
}
const layouts: Readonly<Record<'x64' | 'x32', Layout>> = {
  x64: { word: 8, rings: [56, 72], edx: 616, gdtFrames: 4832, gdtEntries: 4960, cr1: 4992, cr3: 5008 },
  x32: { word: 4, rings: [44, 52], edx: 524, gdtFrames: 2640, gdtEntries: 2704, cr1: 0, cr3: 2728 },
}
/** Descriptors a guest may have in front of Xen's own. */
const GDT_MAX = 7168
const DESCRIPTORS_PER_PAGE = 512

/** What the restorer checks once all records are there: that the vCPUs and the p2m lead to pages the guest has. Takes time for each of them. */
export function checkCompletion(image: ImageState, report: Report): void {
  if (image.version === 3 && image.staticEnd === 'no') report('XC_STATIC_END_ABSENT')
  if (image.guest === 'hvm' && !image.hvmContext) report('XC_HVM_CONTEXT_MISSING')
  if (image.guest !== 'pv') return
  for (const [id, context] of image.vcpus.entries()) checkVcpuContext(image, id, context, report)
  for (const [i, frame] of image.p2mFrames.entries()) {
    if (!isOrdinary(image, frame)) report('XC_P2M_FRAME', `frame ${i}, pfn 0x${frame.toString(16)}`)
  }
  const missing = Math.floor(image.maxPfn / framePages(image)) + 1 - image.p2mFrames.size
  if (image.maxPfn > 0 && missing > 0) report('XC_P2M_FRAME', `${missing} frames of the list never came`)
}

const layoutOf = (image: ImageState): Layout => (image.width === 4 ? layouts.x32 : layouts.x64)

const wordAt = (view: DataView, { word }: Layout, at: number): number => (word === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true)))

/** As `checkCompletion()`, of a PV guest's vCPU 0: it holds the pfn of start_info, which holds those of the xenstore and console rings. */
export async function checkStartInfo(image: ImageState, recall: PageRecall, report: Report): Promise<void> {
  if (image.guest !== 'pv') return
  const context = image.vcpus.get(0)
  if (context === undefined) return report('XC_VCPU0_MISSING')
  const layout = layoutOf(image)
  const pfn = wordAt(viewOf(context), layout, layout.edx)
  if (!isOrdinary(image, pfn)) return report('XC_START_INFO', `pfn 0x${pfn.toString(16)}`)
  const page = await recall.recall(pfn)
  for (const at of page === undefined ? [] : layout.rings) {
    const ring = wordAt(viewOf(page as Uint8Array), layout, at)
    const held = ring <= image.maxPfn ? image.types.get(ring) : undefined
    if (held === undefined || (held >= PAGE.BROKEN && held !== PAGE.XALLOC)) report('XC_START_INFO_RING', `pfn 0x${ring.toString(16)} at byte ${at} of start_info`)
  }
}

function checkVcpuContext(image: ImageState, id: number, context: Uint8Array, report: Report): void {
  const layout = layoutOf(image)
  const view = viewOf(context)
  const word = (at: number): number => wordAt(view, layout, at)
  checkGdt(image, id, view.getUint32(layout.gdtEntries, true), (i) => word(layout.gdtFrames + i * layout.word), report)
  const cr3 = word(layout.cr3)
  if (!isTopTable(image, layout.word === 4 ? unrotate(cr3) : Math.floor(cr3 / 4096))) report('XC_CR3', `vCPU ${id}, cr3 0x${cr3.toString(16)}`)
  if (layout.word === 4) return
  const cr1 = view.getBigUint64(layout.cr1, true)
  if ((cr1 & 1n) !== 0n && !isTopTable(image, Number(cr1 >> 12n))) report('XC_CR3', `vCPU ${id}, cr1 0x${cr1.toString(16)}`)
}

function checkGdt(image: ImageState, id: number, entries: number, frame: (i: number) => number, report: Report): void {
  if (entries > GDT_MAX) return report('XC_GDT', `vCPU ${id} has ${entries} descriptors`)
  for (let i = 0; i < Math.ceil(entries / DESCRIPTORS_PER_PAGE); i++) {
    if (!isOrdinary(image, frame(i))) report('XC_GDT', `vCPU ${id}, pfn 0x${frame(i).toString(16)}`)
  }
}

const isOrdinary = (image: ImageState, pfn: number): boolean => pfn <= image.maxPfn && image.types.get(pfn) === PAGE.NOTAB

const isTopTable = (image: ImageState, pfn: number): boolean => {
  const type = pfn <= image.maxPfn ? image.types.get(pfn) : undefined
  return type !== undefined && type < PAGE.BROKEN && (type & 7) === image.levels
}

/** Frame number of a 32-bit cr3, which holds bits 20 and up of it at the bottom. */
const unrotate = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0
