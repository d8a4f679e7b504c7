import type { libxcRows } from '../../src/rules/rows-libxc.ts'
import {
  ascii, fault, join, longs, p2m, page, pageData, pv, pvInfo, record, vcpuBasic, whole, words, zeros, type Layout, type Part,
} from './image-builder.ts'
import type { Case } from './judge.ts'

/** Rules that only PV images can break. */
export type PvCode = Extract<
  keyof typeof libxcRows,
  `XC_PV_${string}` | `XC_P2M_${string}` | `XC_VCPU${string}` | 'XC_PFN_RANGE' | 'XC_PTE_RANGE' | 'XC_SHARED_INFO_LENGTH' | `XC_START_INFO${string}` | 'XC_GDT' | 'XC_CR3'
>

const EXTENDED = 0x05
const XSAVE = 0x06
const MSRS = 0x0c
const late = (part: Part): Layout => ({ ...pv, beforeEnd: fault(part) })
/** In front of the right record of the same type. */
const beforeP2m = (part: Part): Layout => ({ ...pv, beforeP2m: fault(part) })
const vcpu = (type: number, id: number, blob: Uint8Array): Part => record(type, join(words(id, 0), blob))
/** A fault of the guest as a whole, which shows at its end. */
const atEnd = (change: Partial<Record<keyof typeof pv, Part | readonly Part[]>>): Layout => ({ ...pv, ...change, end: whole(pv.end) })
/** The page's magic, and the frame of xenstore's ring. */
const startInfo = ({ store }: { readonly store: bigint }): Uint8Array => join(ascii('xen-3.0-x86_64\0\0'), zeros(40), longs(store), zeros(4032))
const presentEntry = (pfn: bigint): Uint8Array => join(longs((pfn << 12n) | 1n), zeros(4088))

/** A stream for each rule of PV images. */
export const pvCases: Readonly<Record<PvCode, Case>> = {
  XC_PV_INFO_SHORT: { stream: { ...pv, atStart: fault(record(0x02, zeros(7))) } },
  XC_PV_INFO_LONG: { stream: { ...pv, info: fault(record(0x02, join(words(0x408, 0), zeros(8)))) } },
  XC_PV_INFO_WIDTH: { stream: { ...pv, info: fault(pvInfo(8, 5)) }, also: ['XC_CR3'] },
  XC_PV_INFO_COMBINATION: { stream: { ...pv, info: fault(pvInfo(8, 3)), pages: pageData([[0, 0x0], [1, 0x3]], zeros(2 * 4096)) } },
  XC_PV_INFO_RESERVED: { stream: { ...pv, info: fault(record(0x02, words(0x408, 1))) } },
  XC_PV_INFO_TWICE: { stream: late(pvInfo()) },
  XC_PV_INFO_MISSING: { stream: { ...pv, info: [], p2m: [fault(pv.p2m), pvInfo()] } },
  XC_P2M_LENGTH: { stream: beforeP2m(record(0x03, zeros(12))) },
  XC_P2M_RANGE: { stream: beforeP2m(p2m(1, 0, 0n)) },
  XC_P2M_COUNT: { stream: beforeP2m(p2m(0, 512, 0n)) },
  XC_PFN_RANGE: { stream: { ...pv, beforeVcpu: fault(pageData([[2, 0xf]]), 16) } },
  XC_PTE_RANGE: { stream: { ...pv, pages: fault(pageData([[0, 0x0], [1, 0x4]], join(page(), presentEntry(2n)))) } },
  XC_VCPU_SHORT: { stream: late(record(EXTENDED, words(0))) },
  XC_VCPU_RESERVED: { stream: late(record(EXTENDED, words(0, 1, 0))) },
  XC_VCPU_EMPTY: { stream: late(record(EXTENDED, words(0, 0))) },
  XC_VCPU_ID: { stream: late(vcpu(EXTENDED, 1, zeros(128))) },
  XC_VCPU_BASIC_SIZE: { stream: { ...pv, beforeVcpu: fault(vcpu(0x04, 0, zeros(2800))) } },
  XC_VCPU_EXTENDED_SIZE: { stream: late(vcpu(EXTENDED, 0, zeros(129))) },
  XC_VCPU_XSAVE_SIZE: { stream: late(vcpu(XSAVE, 0, zeros(15))) },
  XC_VCPU_MSRS_SIZE: { stream: late(vcpu(MSRS, 0, zeros(17))) },
  XC_SHARED_INFO_LENGTH: { stream: late(record(0x07, zeros(4095))) },
  XC_VCPU0_MISSING: { stream: atEnd({ vcpu: [] }) },
  XC_START_INFO: { stream: atEnd({ vcpu: vcpuBasic({ startInfo: 1 }) }) },
  XC_START_INFO_RING: { stream: atEnd({ pages: pageData([[0, 0x0], [1, 0x4]], join(startInfo({ store: 2n }), page())) }) },
  XC_GDT: { stream: atEnd({ vcpu: vcpuBasic({ gdtEntries: 1, gdtFrame: 1 }) }) },
  XC_CR3: { stream: atEnd({ vcpu: vcpuBasic({ cr3: 0n }) }) },
  XC_P2M_FRAME: { stream: atEnd({ p2m: p2m(0, 1, 1n) }) },
}
