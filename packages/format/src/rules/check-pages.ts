import { viewOf } from '../bytes/struct.ts'
import type { Soon } from '../bytes/soon.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { eachPage } from '../image/each-page.ts'
import { PAGE, hasContent, isReservedType, pageDataFront, pageDataLength, tableLevel, type PageData } from '../libxc/page-data.ts'
import { needsStaticEnd, type RecordScene } from './scene.ts'
import type { PageContents } from './page-contents.ts'
import type { PageRecall } from './page-recall.ts'
import type { RuleCode } from './table.ts'

const faults = { short: 'XC_PAGES_SHORT', empty: 'XC_PAGES_NONE', 'array-too-long': 'XC_PAGES_ARRAY' } as const

/** How far page contents are looked into, and what is kept of them. */
export interface PageScene {
  readonly depth: 'headers' | 'rules' | 'data'
  readonly contents: PageContents
  readonly recall: PageRecall
}

/** Judges PAGE_DATA: its front, its pfns and types, and of PV guests the page tables among its pages. */
export function checkPages(scene: RecordScene, pageScene: PageScene): Soon<void> {
  const { record, report } = scene
  const { pages } = record
  needsStaticEnd(scene)
  if (record.fault !== undefined) report(faults[record.fault])
  if (pages === undefined) return
  if (pages.reserved !== 0) report('XC_PAGES_RESERVED')
  const wanted = pageDataLength(pages.count, pages.contents)
  if (record.length !== wanted) report('XC_PAGES_LENGTH', `${wanted} bytes wanted, ${record.length} there`)
  checkEntries(scene, pages)
  return record.length === wanted ? checkContents(scene, pages, pageScene) : undefined
}

function checkContents(scene: RecordScene, pages: PageData, { depth, contents, recall }: PageScene): Soon<void> {
  const { record, image, report } = scene
  const pv = image.guest === 'pv'
  if (depth === 'headers' || (depth === 'rules' && !pv)) return
  const isTable = (i: number): boolean => pv && tableLevel(pages.type(i)) > 0
  if (pv && !recall.needsContents) notePlaces(scene, pages, recall)
  return eachPage(record.body, pages, (i) => depth === 'data' || recall.needsContents || isTable(i), (page, i, offset) => {
    if (isTable(i)) checkTable(scene, pages.pfn(i), page)
    else if (pv && recall.needsContents) recall.note(pages.pfn(i), offset, page)
    const differs = depth === 'data' && contents.add(pages.pfn(i), page)
    if (differs && image.verifying) report('XC_VERIFY_MISMATCH', `pfn 0x${pages.pfn(i).toString(16)}`, offset)
  })
}

function notePlaces({ record }: RecordScene, pages: PageData, recall: PageRecall): void {
  let offset = record.body.offset + pageDataFront(pages.count)
  for (let i = 0; i < pages.count; i++) {
    if (!hasContent(pages.type(i))) continue
    recall.note(pages.pfn(i), offset, undefined)
    offset += PAGE_SIZE
  }
}

/** Physical addresses have 52 bits at most, so frame numbers 40. */
const PFN_LIMIT = 2 ** 40

function checkEntries({ image, record, report }: RecordScene, pages: PageData): void {
  const pv = image.guest === 'pv'
  if (pages.plain && !pv) return
  const say = (code: RuleCode, i: number): void =>
    report(code, `entry ${i}, pfn 0x${pages.pfn(i).toString(16)}, type 0x${pages.type(i).toString(16)}`, record.body.offset + pageDataFront(i))
  for (let i = 0; i < pages.count; i++) {
    const type = pages.type(i)
    const pfn = pages.pfn(i)
    if (isReservedType(type)) say('XC_PAGES_TYPE', i)
    if (pages.spare(i) !== 0) say('XC_PAGES_SPARE_BITS', i)
    if (!pv) {
      if (pfn >= PFN_LIMIT && isPopulated(type)) say('XC_PFN_UNADDRESSABLE', i)
    } else if (pfn > image.maxPfn || image.maxPfn === 0) say('XC_PFN_RANGE', i)
    else image.types.set(pfn, type)
  }
}

const isPopulated = (type: number): boolean => type !== PAGE.BROKEN && type !== PAGE.XTAB

/** Looks through the entries of one page table; a present one makes its pfn part of the guest. */
function checkTable({ record, image, report }: RecordScene, pfn: number, table: Uint8Array): void {
  const view = viewOf(table)
  for (let at = 0; at + 8 <= table.length; at += 8) {
    const low = view.getUint32(at, true)
    if ((low & 1) === 0) continue
    const target = (view.getUint32(at + 4, true) & 0xfffff) * 0x10_0000 + (low >>> 12)
    if (target > image.maxPfn) {
      report('XC_PTE_RANGE', `slot ${at / 8} of pfn 0x${pfn.toString(16)} (${record.name}) refers to pfn 0x${target.toString(16)}`)
    } else if (image.types.get(target) === undefined) image.types.set(target, PAGE.NOTAB)
  }
}
