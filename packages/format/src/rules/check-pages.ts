import { viewOf } from '../bytes/struct.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { PAGE, hasContent, isReservedType, pageDataFront, pageDataLength, tableLevel, type PageData } from '../libxc/page-data.ts'
import { needsStaticEnd, type RecordScene } from './check-record.ts'
import type { PageContents } from './page-contents.ts'
import type { RuleCode } from './table.ts'

const faults = { short: 'XC_PAGES_SHORT', empty: 'XC_PAGES_NONE', 'array-too-long': 'XC_PAGES_ARRAY' } as const

/**
 * Judges PAGE_DATA: its front, its pfns and types, and of PV guests the page tables among its pages.
 *
 * @param contents reads every page when given; otherwise pages that are no page tables are passed over.
 */
export async function checkPages(scene: RecordScene, depth: 'headers' | 'rules' | 'data', contents: PageContents): Promise<void> {
  const { record, report } = scene
  const { pages } = record
  needsStaticEnd(scene)
  if (record.fault !== undefined) report(faults[record.fault])
  if (pages === undefined) return
  if (pages.reserved !== 0) report('XC_PAGES_RESERVED')
  const wanted = pageDataLength(pages.count, pages.contents)
  if (record.length !== wanted) report('XC_PAGES_LENGTH', `${wanted} bytes wanted, ${record.length} there`)
  checkEntries(scene, pages)
  if (record.length !== wanted || depth === 'headers') return
  if (depth === 'data') await contents.readAll(record, pages, scene)
  else if (scene.image.guest === 'pv') await checkTables(scene, pages)
}

/** Physical addresses have 52 bits at most, so frame numbers 40. */
const PFN_LIMIT = 2 ** 40

function checkEntries({ image, record, report }: RecordScene, pages: PageData): void {
  const pv = image.guest === 'pv'
  for (let i = 0; i < pages.count; i++) {
    const type = pages.type(i)
    const pfn = pages.pfn(i)
    const say = (code: RuleCode): void => report(code, `entry ${i}, pfn 0x${pfn.toString(16)}, type 0x${type.toString(16)}`, record.body.offset + pageDataFront(i))
    if (isReservedType(type)) say('XC_PAGES_TYPE')
    if (pages.spare(i) !== 0) say('XC_PAGES_SPARE_BITS')
    if (!pv) {
      if (pfn >= PFN_LIMIT && isPopulated(type)) say('XC_PFN_UNADDRESSABLE')
    } else if (pfn > image.maxPfn || image.maxPfn === 0) say('XC_PFN_RANGE')
    else image.types.set(pfn, type)
  }
}

const isPopulated = (type: number): boolean => type !== PAGE.BROKEN && type !== PAGE.XTAB

async function checkTables(scene: RecordScene, pages: PageData): Promise<void> {
  let passed = 0
  for (let i = 0; i < pages.count; i++) {
    const type = pages.type(i)
    if (tableLevel(type) > 0) {
      await scene.record.body.skip(passed * PAGE_SIZE)
      checkTable(scene, pages.pfn(i), await scene.record.body.upTo(PAGE_SIZE))
      passed = 0
    } else if (hasContent(type)) passed++
  }
}

/** Looks through the entries of one page table; a present one makes its pfn part of the guest. */
export function checkTable({ record, image, report }: RecordScene, pfn: number, table: Uint8Array): void {
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
