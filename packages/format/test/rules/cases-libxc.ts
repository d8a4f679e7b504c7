import type { libxcRows } from '../../src/rules/rows-libxc.ts'
import {
  ascii, context, cut, domainHeader, fault, hvm, imageHeader, join, page, pageData, piece, record, theEnd, whole, words, zeros, type Entry, type Layout, type Part,
} from './image-builder.ts'
import type { Case } from './judge.ts'
import type { PvCode } from './cases-pv.ts'

const image = (with_: Parameters<typeof imageHeader>[0], at: number): Layout => ({ ...hvm, image: fault(imageHeader(with_), at) })
const domain = (with_: Parameters<typeof domainHeader>[0], at: number): Layout => ({ ...hvm, domain: fault(domainHeader(with_), at) })
const late = (part: Part): Layout => ({ ...hvm, beforeEnd: fault(part) })
const early = (part: Part): Layout => ({ ...hvm, atStart: fault(part) })
const pages = (part: Part): Layout => ({ ...hvm, pages: fault(part) })
/** Without STATIC_DATA_END. */
const version2 = { ...hvm, image: imageHeader({ version: 2 }), staticEnd: [] } as const
/** The fault is at the entry itself. */
const entry = (of: Entry, contents?: Uint8Array): Layout => ({ ...hvm, pages: fault(pageData([of], contents), 16) })
const checkpoint = record(0x0e)
const secondPass = [record(0x0d), fault(pageData([[17, 0]], page(2)), 24)]

/** A stream for each rule of libxc images but those of PV guests. */
export const libxcCases: Readonly<Record<Exclude<keyof typeof libxcRows, PvCode>, Case>> = {
  XC_EMPTY: { stream: { theEnd } },
  XC_UNRECOGNISED: { stream: { garbage: fault(piece(ascii('garbage!'))) } },
  XC_HEADER_CUT: { stream: { image: hvm.image, domain: cut(hvm.domain, 15), theEnd } },
  XC_MARKER: { stream: image({ marker: 0xfe }, 0), options: { format: 'libxc' } },
  XC_ID: { stream: image({ id: 0x58454e47 }, 8) },
  XC_VERSION: { stream: image({ version: 4 }, 12) },
  XC_BIG_ENDIAN: { stream: image({ options: 1 }, 16) },
  XC_OPTION_BITS: { stream: image({ options: 0x8000 }, 16) },
  XC_IMAGE_RESERVED: { stream: image({ reserved: 1 }, 18) },
  XC_DOMAIN_TYPE: { stream: domain({ type: 3 }, 0) },
  XC_DOMAIN_MISMATCH: { stream: domain({}, 0), options: { domain: 'pv' } },
  XC_PAGE_SHIFT: { stream: domain({ shift: 13 }, 4) },
  XC_PAGE_SHIFT_WRAPS: { stream: domain({ shift: 44 }, 4) },
  XC_DOMAIN_RESERVED: { stream: domain({ reserved: 1 }, 6) },
  XC_RECORD_CUT: { stream: { ...hvm, end: cut(hvm.end, 7), theEnd } },
  XC_NO_END: { stream: { ...hvm, end: [], theEnd } },
  XC_LENGTH_MAX: { stream: { ...hvm, beforeEnd: fault(record(0x11, zeros(0), { length: 24 * 5_592_406 })), end: [] }, also: ['XC_POLICY_LATE', 'XC_RECORD_CUT'] },
  XC_PADDING: { stream: { ...hvm, beforeEnd: fault(record(0x09, join(context.bytes.subarray(8), zeros(1)), { padding: 1 }), 33) }, also: ['XC_HVM_CONTEXT_CONTENT'] },
  XC_UNKNOWN_MANDATORY: { stream: late(record(0x13)) },
  XC_UNKNOWN_OPTIONAL: { stream: late(record(0x8000_0001)) },
  XC_OPTIONAL_IN_CHECKPOINT: {
    stream: { ...hvm, beforeEnd: [checkpoint, fault(record(0x8000_0001)), checkpoint] },
    options: { streamType: 'remus' },
    also: ['XC_UNKNOWN_OPTIONAL'],
  },
  XC_TOOLSTACK: { stream: late(record(0x0b)) },
  XC_DIRTY_LIST_FORWARD: { stream: late(record(0x0f, zeros(8))) },
  XC_BODY_NOT_EMPTY: { stream: late(record(0x0d, zeros(8))) },
  XC_FOREIGN_RECORD: { stream: late(record(0x07, page())), also: ['XC_PV_INFO_MISSING'] },
  XC_STATIC_END_V2: { stream: { ...version2, atStart: fault(record(0x10)) } },
  XC_STATIC_END_TWICE: { stream: late(record(0x10)) },
  XC_STATIC_END_MISSING: { stream: { ...hvm, staticEnd: [], pages: fault(hvm.pages) } },
  XC_STATIC_END_ABSENT: { stream: { ...hvm, staticEnd: [], pages: [], end: whole(hvm.end) } },
  XC_POLICY_V2: { stream: { ...version2, atStart: fault(record(0x11, zeros(24))) } },
  XC_POLICY_LATE: { stream: late(record(0x12, zeros(16))) },
  XC_CHECKPOINT_PLAIN: { stream: late(checkpoint), options: { streamType: 'plain' } },
  XC_NO_CHECKPOINT: { stream: { ...hvm, end: [], theEnd }, options: { streamType: 'remus' } },
  XC_CHECKPOINT_CUT: { stream: { ...hvm, end: [checkpoint, hvm.pages], theEnd } },
  XC_ENDS_AT_CHECKPOINT: { stream: { ...hvm, end: checkpoint, theEnd } },
  XC_PAGES_SHORT: { stream: pages(record(0x01, zeros(7))) },
  XC_PAGES_NONE: { stream: pages(record(0x01, words(0, 0))) },
  XC_PAGES_ARRAY: { stream: pages(record(0x01, words(2, 0, 0, 0))) },
  XC_PAGES_RESERVED: { stream: pages(pageData([[16, 0xf]], zeros(0), 1)) },
  XC_PAGES_SPARE_BITS: { stream: entry([16, 0xf, 0x80]) },
  XC_PAGES_TYPE: { stream: entry([16, 0x5], page()) },
  XC_PAGES_LENGTH: { stream: pages(pageData([[16, 0x0]])) },
  XC_PFN_UNADDRESSABLE: { stream: entry([2 ** 40, 0xe]) },
  XC_VERIFY_MISMATCH: {
    stream: { ...hvm, pages: pageData([[17, 0]], page(1)), beforeEnd: secondPass },
    options: { depth: 'data', digest: (bytes) => bytes[0] as number },
  },
  XC_TSC_LENGTH: { stream: late(record(0x08, zeros(20))) },
  XC_TSC_RESERVED: { stream: late(record(0x08, words(0, 0, 0, 0, 0, 1))) },
  XC_CPUID_LENGTH: { stream: early(record(0x11, zeros(23))) },
  XC_MSR_LENGTH: { stream: early(record(0x12)) },
  XC_HVM_CONTEXT_EMPTY: { stream: { ...hvm, context: fault(record(0x09)) } },
  XC_HVM_CONTEXT_MISSING: { stream: { ...hvm, context: [], end: whole(hvm.end) } },
  XC_HVM_CONTEXT_CONTENT: { stream: { ...hvm, context: fault(record(0x09, zeros(8).fill(1))) } },
  XC_PARAMS_SHORT: { stream: late(record(0x0a, zeros(4))) },
  XC_PARAMS_LENGTH: { stream: late(record(0x0a, words(1, 0))) },
  XC_PARAMS_RESERVED: { stream: late(record(0x0a, words(1, 1, 0, 0, 0, 0))) },
  XC_PARAMS_NONE: { stream: late(record(0x0a, words(0, 0))) },
}
