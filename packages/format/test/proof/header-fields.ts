import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { paddingOf } from '../../src/bytes/limits.ts'
import type { RecordItem } from '../../src/image/item.ts'
import { walk } from '../../src/image/walk.ts'
import { pageDataFront, pageTypeName, type PageData } from '../../src/libxc/page-data.ts'

/** Bytes of a stream that are framing, not content. */
export interface HeaderField {
  /** `<piece> <field>`: "image-header version", "PAGE_DATA count", "HVM_CONTEXT head length". */
  readonly name: string
  readonly offset: number
  /** In bytes; 0 for padding that is not there. */
  readonly size: number
  readonly bigEndian: boolean
}

type Fields = Readonly<Record<string, number>>
const headers: Readonly<Record<string, Fields>> = {
  'xl-header': { magic: 32, 'byte order': 4, 'mandatory flags': 4, 'optional flags': 4, 'block length': 4 },
  'xl-block': { 'configuration length': 4 },
  'libxl-header': { ident: 8, version: 4, options: 4 },
  'image-header': { marker: 8, id: 4, version: 4, options: 2, reserved: 6 },
  'domain-header': { type: 4, 'page shift': 2, reserved: 2, 'xen major': 4, 'xen minor': 4 },
}
/** Headers whose words are big-endian; those of all else are little-endian. */
const isBig = new Set(['libxl-header', 'image-header'])
const vcpu: Fields = { number: 4, reserved: 4 }
const bodies: Readonly<Record<string, Fields>> = {
  X86_PV_INFO: { width: 1, levels: 1, reserved: 6 },
  X86_PV_P2M_FRAMES: { 'first pfn': 4, 'last pfn': 4 },
  X86_PV_VCPU_BASIC: vcpu,
  X86_PV_VCPU_EXTENDED: vcpu,
  X86_PV_VCPU_XSAVE: vcpu,
  X86_PV_VCPU_MSRS: vcpu,
  X86_TSC_INFO: { mode: 4, khz: 4, nsec: 8, incarnation: 4, reserved: 4 },
  HVM_PARAMS: { count: 4, reserved: 4 },
  EMULATOR_XENSTORE_DATA: { 'emulator id': 4, index: 4 },
  EMULATOR_CONTEXT: { 'emulator id': 4, index: 4 },
  CHECKPOINT_STATE: { state: 4 },
}

/** Every header, record head, sub-header and padding of a stream. */
export async function headerFields(bytes: Uint8Array): Promise<readonly HeaderField[]> {
  const fields: HeaderField[] = []
  let guest = ''
  for await (const item of walk(new ByteReader(sourceOfBytes(bytes)))) {
    if (item.kind === 'domain-header') guest = item.bytes[0] === 1 ? 'PV' : 'HVM'
    if (item.kind === 'record') fields.push(...recordFields(item, guest))
    else if (item.kind in headers) fields.push(...place(item.kind, headers[item.kind] as Fields, item.offset, isBig.has(item.kind)))
  }
  return fields
}

function recordFields(record: RecordItem, guest: string): readonly HeaderField[] {
  const name = record.layer === 'libxl' && record.name === 'END' ? 'libxl END' : (record.name as string)
  const padding = paddingOf(record.length)
  return [
    ...place(name, { type: 4, length: 4 }, record.offset),
    ...(record.pages === undefined ? place(name, bodies[name] ?? {}, record.body.offset) : pagesFields(record.pages, record.body.offset, guest)),
    ...place(name, { padding }, record.body.offset + record.length),
  ]
}

function pagesFields(pages: PageData, offset: number, guest: string): readonly HeaderField[] {
  const entries = Array.from({ length: pages.count }, (_, i) => place(`${guest} PAGE_DATA`, { [`${pageTypeName(pages.type(i))} entry`]: 8 }, offset + pageDataFront(i)))
  return [...place('PAGE_DATA', { count: 4, reserved: 4 }, offset), ...entries.flat()]
}

function place(piece: string, fields: Fields, from: number, bigEndian = false): readonly HeaderField[] {
  let offset = from
  return Object.entries(fields).map(([field, size]) => {
    const placed = { name: `${piece} ${field}`, offset, size, bigEndian }
    offset += size
    return placed
  })
}
