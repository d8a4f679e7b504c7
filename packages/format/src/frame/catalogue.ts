import type { HeaderItem } from '../image/item.ts'
import { domainHeaderCodec } from '../libxc/domain-header.ts'
import { imageHeaderCodec } from '../libxc/image-header.ts'
import * as libxc from '../libxc/records.ts'
import * as libxl from '../libxl/records.ts'
import { libxlHeaderCodec } from '../libxl/stream-header.ts'
import { xlBlock } from '../xl/optional-block.ts'
import { xlHeaderCodec } from '../xl/save-header.ts'
import type { Codec } from './codec.ts'
import type { RecordCodec } from './record.ts'

const byType = (codecs: Readonly<Record<string, RecordCodec<unknown>>>): ReadonlyMap<number, RecordCodec<unknown>> =>
  new Map(Object.values(codecs).map((codec) => [codec.type, codec]))

const libxcRecords = byType(libxc)
const libxlRecords = byType(libxl)

const headers: Readonly<Record<HeaderItem['kind'], Codec<unknown>>> = {
  'xl-header': xlHeaderCodec,
  'xl-block': xlBlock,
  'libxl-header': libxlHeaderCodec,
  'image-header': imageHeaderCodec,
  'domain-header': domainHeaderCodec,
}

/** The codec of a libxc record; undefined for types that are unknown, for PAGE_DATA, which is not held as a whole, and for TOOLSTACK. */
export const libxcCodec = (type: number): RecordCodec<unknown> | undefined => libxcRecords.get(type)

/** The codec of a libxl record; undefined for types that are unknown. */
export const libxlCodec = (type: number): RecordCodec<unknown> | undefined => libxlRecords.get(type)

/** The codec of a piece that is not a record. */
export const headerCodec = (kind: HeaderItem['kind']): Codec<unknown> => headers[kind]
