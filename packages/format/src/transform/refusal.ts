import { LIBXC_BODY_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import type { RecordItem } from '../image/item.ts'
import type { GuestKind } from '../libxc/domain-header.ts'
import { isReservedType, pageDataLength, type PageData } from '../libxc/page-data.ts'
import { OPTIONAL_RECORD, XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'

/** What came before a record, as far as it decides whether a restorer takes the record. */
export interface Before {
  guest: GuestKind
  /** Of the libxc image. Version 2 has no STATIC_DATA_END and needs none. */
  version: number
  staticEnd: boolean
  /** Highest pfn of a PV guest, from X86_PV_P2M_FRAMES. */
  maxPfn: number
  /** libxc images so far. */
  images: number
  /** Between CHECKPOINT and CHECKPOINT_END. */
  inGroup: boolean
}

/** Highest vCPU number that Xen gives a guest. Source: public xen.h, MAX_VIRT_CPUS of PV guests with a vcpu_info of their own. */
const VCPU_MAX = 8191
/** HVM parameters that Xen knows have numbers below this one, with room for more. */
const HVM_PARAM_MAX = 255
/** Entries of a sane HVM_PARAMS record. */
const HVM_PARAMS_MAX = 256

/** Longest record of a device model’s xenstore keys, in bytes; there are a few keys a memory region. */
const XENSTORE_MAX = 1 << 20

interface Row {
  readonly guest?: GuestKind
  /** @param front the first 8 body bytes, zero where the body is shorter. */
  readonly fits: (length: number, front: DataView) => boolean
}

const any: Row = { fits: () => true }
const never: Row = { fits: () => false }
const vcpu: Row = { guest: 'pv', fits: (length, front) => length === 8 || (length > 8 && front.getUint32(0, true) <= VCPU_MAX) }

const libxc = new Map<number, Row>([
  [XC.END, any],
  [XC.PAGE_DATA, any],
  [XC.X86_PV_INFO, { guest: 'pv', fits: (length) => length >= 8 }],
  [XC.X86_PV_P2M_FRAMES, { guest: 'pv', fits: (length, front) => length >= 8 && length % 8 === 0 && front.getUint32(0, true) <= front.getUint32(4, true) }],
  [XC.X86_PV_VCPU_BASIC, vcpu],
  [XC.X86_PV_VCPU_EXTENDED, vcpu],
  [XC.X86_PV_VCPU_XSAVE, vcpu],
  [XC.X86_PV_VCPU_MSRS, vcpu],
  [XC.SHARED_INFO, { guest: 'pv', fits: (length) => length === 4096 }],
  [XC.X86_TSC_INFO, { fits: (length) => length === 24 }],
  [XC.HVM_CONTEXT, { guest: 'hvm', fits: (length) => length > 0 }],
  [XC.HVM_PARAMS, { guest: 'hvm', fits: hvmParamsFit }],
  [XC.TOOLSTACK, never],
  [XC.VERIFY, any],
  [XC.CHECKPOINT, any],
  [XC.CHECKPOINT_DIRTY_PFN_LIST, never],
  [XC.STATIC_DATA_END, any],
  [XC.X86_CPUID_POLICY, { fits: (length) => length > 0 && length % 24 === 0 }],
  [XC.X86_MSR_POLICY, { fits: (length) => length > 0 && length % 16 === 0 }],
])

const libxl = new Map<number, Row>([
  [XL2.END, any],
  [XL2.LIBXC_CONTEXT, any],
  [XL2.EMULATOR_XENSTORE_DATA, { guest: 'hvm', fits: (length) => length >= 8 && length <= XENSTORE_MAX }],
  [XL2.EMULATOR_CONTEXT, { guest: 'hvm', fits: (length) => length >= 8 }],
  [XL2.CHECKPOINT_END, any],
  [XL2.CHECKPOINT_STATE, { fits: (length) => length >= 4 }],
])

/** Whether values of HVM_PARAMS have numbers that Xen could know. */
export const isHvmParam = (index: bigint): boolean => index <= BigInt(HVM_PARAM_MAX)

function hvmParamsFit(length: number, front: DataView): boolean {
  const count = front.getUint32(0, true)
  return count <= HVM_PARAMS_MAX && length === 8 + 16 * count
}

/**
 * Why a restorer would stop at this record, in words, or undefined when it would not. Only what heads tell: the damage that
 * salvaging has to stop at, not every rule (`xr verify` has those).
 *
 * Takes nothing out of the body. Brings `before` up to date.
 */
export async function refusalOf(record: RecordItem, before: Before): Promise<string | undefined> {
  const name = record.name ?? `type 0x${record.type.toString(16)}`
  const row = (record.layer === 'libxc' ? libxc : libxl).get(record.type)
  if (row === undefined) return record.layer === 'libxc' && record.type >= OPTIONAL_RECORD ? tooLong(record) : `unknown record ${name}`
  if (row.guest !== undefined && row.guest !== before.guest) return `${name} in an image of ${before.guest === 'pv' ? 'a PV' : 'an HVM'} guest`
  const front = await frontOf(record)
  if (front !== undefined && !row.fits(record.length, front)) return `${name} of ${record.length} bytes does not hold what its type says`
  return record.layer === 'libxc' ? (tooLong(record) ?? libxcOrder(record, front?.getUint32(4, true) ?? 0, before)) : libxlOrder(record, before)
}

/** Undefined when the image ends within it, which the walk tells next. */
async function frontOf(record: RecordItem): Promise<DataView | undefined> {
  const front = new Uint8Array(8)
  if (record.pages !== undefined) return viewOf(front)
  const there = await record.body.peek(8)
  front.set(there)
  return there.length < Math.min(8, record.length) ? undefined : viewOf(front)
}

const tooLong = (record: RecordItem): string | undefined =>
  record.layer === 'libxc' && record.length > LIBXC_BODY_MAX ? `a record of ${record.length} bytes is longer than any may be` : undefined

function libxcOrder(record: RecordItem, endPfn: number, before: Before): string | undefined {
  switch (record.type) {
    case XC.STATIC_DATA_END:
      if (before.staticEnd && before.version > 2) return 'STATIC_DATA_END comes again'
      before.staticEnd = true
      return undefined
    case XC.X86_PV_P2M_FRAMES:
      before.maxPfn = Math.max(before.maxPfn, endPfn)
      return staticDone(before) ? undefined : 'X86_PV_P2M_FRAMES comes before STATIC_DATA_END'
    case XC.PAGE_DATA:
      return staticDone(before) ? pagesRefusal(record, before) : 'PAGE_DATA comes before STATIC_DATA_END'
    case XC.CHECKPOINT:
      before.inGroup = true
      return undefined
    default:
      return undefined
  }
}

const staticDone = ({ version, staticEnd }: Before): boolean => version === 2 || staticEnd

function libxlOrder(record: RecordItem, before: Before): string | undefined {
  if (record.type === XL2.LIBXC_CONTEXT) return before.images++ > 0 ? 'a second libxc image begins' : undefined
  if (record.type !== XL2.CHECKPOINT_END) return undefined
  const due = before.inGroup
  before.inGroup = false
  return due ? undefined : 'CHECKPOINT_END without a checkpoint'
}

function pagesRefusal({ pages, fault, length }: RecordItem, { guest, maxPfn }: Before): string | undefined {
  if (pages === undefined) return fault === undefined ? undefined : 'the front of PAGE_DATA does not fit its length'
  if (length !== pageDataLength(pages.count, pages.contents)) return 'the length of PAGE_DATA does not fit its entries'
  return wrongEntry(pages, guest === 'pv' ? maxPfn : Infinity)
}

function wrongEntry(pages: PageData, maxPfn: number): string | undefined {
  for (let i = 0; i < pages.count; i++) {
    if (isReservedType(pages.type(i))) return `pfn 0x${pages.pfn(i).toString(16)} has the reserved page type ${pages.type(i)}`
    if (pages.pfn(i) > maxPfn) return `pfn 0x${pages.pfn(i).toString(16)} is beyond the guest’s last`
  }
  return undefined
}
