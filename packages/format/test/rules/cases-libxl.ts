import type { libxlRows } from '../../src/rules/rows-libxl.ts'
import {
  ascii, context, cut, emulator, fault, flat, join, libxl, libxlHeader, pv, record, remus, theEnd, words, xenstore, xl, xlBlock, xlHeader, zeros, type Layout, type Part,
} from './image-builder.ts'
import type { Case } from './judge.ts'

const header = (with_: Parameters<typeof libxlHeader>[0], at: number): Layout => ({ ...libxl, header: fault(libxlHeader(with_), at) })
const emulated = (part: Part): Layout => ({ ...libxl, emulator: fault(part) })
const stated = (body: Uint8Array): Layout => ({ ...libxl, beforeEnd: fault(record(0x05, body)) })
/** Of the image, and of the stream around it. */
const ends = [record(0x00), record(0x00)]
const hvmConfig = ascii('{"c_info":{"type":"hvm"}}\0')

/** A stream for each rule of the libxl stream. */
export const libxlCases: Readonly<Record<keyof typeof libxlRows, Case>> = {
  XL2_HEADER_CUT: { stream: { header: cut(libxl.header, 15), theEnd } },
  XL2_IDENT: { stream: header({ ident: 'libxlFmt' }, 0), options: { format: 'libxl' } },
  XL2_VERSION: { stream: header({ version: 3 }, 8) },
  XL2_BIG_ENDIAN: { stream: header({ options: 1 }, 12) },
  XL2_OPTION_BITS: { stream: header({ options: 4 }, 12) },
  XL2_OPTION_BITS_HIGH: { stream: header({ options: 0x8000_0000 }, 12) },
  XL2_RECORD_CUT: { stream: { ...libxl, end: cut(libxl.end, 4), theEnd } },
  XL2_NO_END: { stream: { ...libxl, end: [], theEnd } },
  XL2_PADDING: { stream: { ...libxl, emulator: fault(record(0x03, join(words(2, 0), ascii('QEVM')), { padding: 1 }), 20) } },
  XL2_UNKNOWN_TYPE: { stream: { ...libxl, beforeEnd: fault(record(0x06)) } },
  XL2_BODY_NOT_EMPTY: { stream: { ...libxl, end: fault(record(0x00, zeros(8))) } },
  XL2_NO_LIBXC: { stream: { header: libxl.header, end: libxl.end, theEnd } },
  XL2_SECOND_LIBXC: { stream: { ...libxl, behindImage: [fault(record(0x01)), ...libxl.image] } },
  XL2_EMULATOR_SHORT: { stream: emulated(record(0x03, zeros(4))) },
  XL2_EMULATOR_ID: { stream: emulated(emulator(3)) },
  XL2_EMULATOR_INDEX: { stream: emulated(emulator(2, 1)) },
  XL2_EMULATOR_IN_PV: { stream: { ...libxl, image: flat(pv), emulator: fault(emulator()) } },
  XL2_EMULATOR_MISSING: {
    stream: { ...xl, header: xlHeader({ length: 4 + hvmConfig.length }), block: xlBlock(hvmConfig), stream: flat({ ...libxl, emulator: [] }), theEnd },
  },
  XL2_XENSTORE_NOT_TERMINATED: { stream: { ...libxl, behindImage: fault(xenstore('a\0', 'b')) }, also: ['XL2_XENSTORE_PY3'] },
  XL2_XENSTORE_KEY: { stream: { ...libxl, behindImage: fault(xenstore('/a\0', 'b\0')) }, also: ['XL2_XENSTORE_PY3'] },
  XL2_XENSTORE_PY3: { stream: { ...libxl, behindImage: fault(xenstore('a\0', 'b\0')) } },
XL2_GROUP_MISSING: { stream: { ...remus, emulator: [], checkpointEnd: [], checkpoint: fault(remus.checkpoint), behind: [context, ...ends] } },
  XL2_NOT_IN_CHECKPOINT: { stream: { ...remus, inGroup: fault(record(0x01)), behind: ends }, also: ['XL2_CHECKPOINT_NESTED'] },
  XL2_CHECKPOINT_END_ALONE: { stream: { ...libxl, beforeEnd: fault(record(0x04)) } },
  XL2_STATE_ALONE: { stream: stated(words(0)) },
  XL2_STATE_EMPTY: { stream: stated(zeros(0)), also: ['XL2_STATE_ALONE'] },
  XL2_STATE_SHORT: { stream: stated(zeros(2)), also: ['XL2_STATE_ALONE'] },
  XL2_STATE_ID: { stream: { ...remus, behind: [fault(record(0x05, words(1))), ...ends] }, also: ['XL2_CHECKPOINT_NESTED'] },
  XL2_CHECKPOINT_PLAIN: {
    stream: { ...remus, checkpoint: fault(remus.checkpoint), behind: ends },
    options: { streamType: 'plain' },
    also: ['XL2_CHECKPOINT_NESTED'],
  },
  XL2_CHECKPOINT_NESTED: { stream: { ...remus, checkpoint: fault(remus.checkpoint), behind: ends } },
}
