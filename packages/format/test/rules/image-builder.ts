/** A piece of a stream in the making. */
export interface Part {
  readonly bytes: Uint8Array
  readonly isRecord: boolean
  /** Set on the piece a finding is expected in: bytes from its start, and whether the finding names the record. */
  readonly fault?: { readonly at: number; readonly named: boolean }
}
/** Pieces in order by name, so that a test can replace one: `{ ...hvm, context: fault(record(9)) }`. */
export type Layout = Readonly<Record<string, Part | readonly Part[]>>

export const join = (...pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]))
/** 32-bit little-endian words. */
export const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
/** 64-bit little-endian words. */
export const longs = (...values: readonly bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer)
export const zeros = (size: number): Uint8Array => new Uint8Array(size)
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const big = (value: number, size: number): number[] => Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * (size - 1 - i))) & 0xff)
const little = (value: number, size: number): number[] => big(value, size).reverse()

export const piece = (bytes: Uint8Array): Part => ({ bytes, isRecord: false })
/** A place behind all bytes, for faults of the end. */
export const theEnd: Part = { bytes: zeros(0), isRecord: false, fault: { at: 0, named: false } }
/** Expects the finding `at` bytes into this piece. */
export const fault = (part: Part, at = 0): Part => ({ ...part, fault: { at, named: part.isRecord } })
/** As `fault()`, for findings about the whole guest, which name no record. */
export const whole = (part: Part): Part => ({ ...part, fault: { at: 0, named: false } })
/** The first bytes of a piece. */
export const cut = (part: Part, size: number): Part => ({ ...part, bytes: part.bytes.subarray(0, size) })

interface RecordFraming {
  readonly length?: number
  readonly padding?: number
}
/** A record of either layer; `padding` is the byte it is padded with. */
export function record(type: number, body: Uint8Array = zeros(0), { length = body.length, padding = 0 }: RecordFraming = {}): Part {
  return { bytes: join(words(type, length), body, zeros((8 - (body.length % 8)) % 8).fill(padding)), isRecord: true }
}

/** The stream's bytes, and where its fault is. */
export function build(layout: Layout): { readonly bytes: Uint8Array; readonly fault: { readonly offset: number; readonly record: number | undefined } } {
  const parts = Object.values(layout).flat()
  let offset = 0
  let index = 0
  let found = { offset: -1, record: undefined as number | undefined }
  for (const part of parts) {
    if (part.fault !== undefined) found = { offset: offset + part.fault.at, record: part.fault.named ? index : undefined }
    offset += part.bytes.length
    if (part.isRecord) index++
  }
  return { bytes: join(...parts.map(({ bytes }) => bytes)), fault: found }
}

interface ImageWords {
  readonly marker?: number
  readonly id?: number
  readonly version?: number
  readonly options?: number
  readonly reserved?: number
}
export const imageHeader = ({ marker = 0xff, id = 0x58454e46, version = 3, options = 0, reserved = 0 }: ImageWords = {}): Part =>
  piece(Uint8Array.from([255, 255, 255, 255, 255, 255, 255, marker, ...big(id, 4), ...big(version, 4), ...big(options, 2), ...big(reserved, 2), 0, 0, 0, 0]))

interface DomainWords {
  readonly type?: number
  readonly shift?: number
  readonly reserved?: number
}
export const domainHeader = ({ type = 2, shift = 12, reserved = 0 }: DomainWords = {}): Part =>
  piece(Uint8Array.from([...little(type, 4), ...little(shift, 2), ...little(reserved, 2), 4, 0, 0, 0, 17, 0, 0, 0]))

/** [pfn, type nibble, reserved bits] */
export type Entry = readonly [pfn: number, type: number, spare?: number]
export const entryWords = (entries: readonly Entry[]): Uint8Array =>
  longs(...entries.map(([pfn, type, spare = 0]) => (BigInt(type) << 60n) | (BigInt(spare) << 52n) | BigInt(pfn)))
/** PAGE_DATA; `contents` follow the entries as they are. */
export const pageData = (entries: readonly Entry[], contents: Uint8Array = zeros(0), reserved = 0): Part =>
  record(0x01, join(words(entries.length, reserved), entryWords(entries), contents))
export const page = (fill = 0): Uint8Array => zeros(4096).fill(fill)

const end = record(0x00)
/** HEADER and END of an HVM context, which is as little as divides into save records. */
export const context = record(0x09, Uint8Array.from([1, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]))

/** The smallest HVM image that nobody minds. */
export const hvm = {
  image: imageHeader(),
  domain: domainHeader(),
  atStart: [],
  staticEnd: record(0x10),
  pages: pageData([[16, 0xf]]),
  context,
  beforeEnd: [],
  end,
  behind: [],
} as const satisfies Layout

interface VcpuWords {
  readonly id?: number
  readonly startInfo?: number
  readonly gdtEntries?: number
  readonly gdtFrame?: number
  readonly cr1?: bigint
  readonly cr3?: bigint
}
/** X86_PV_VCPU_BASIC of a 64-bit guest. */
export function vcpuBasic({ id = 0, startInfo = 0, gdtEntries = 0, gdtFrame = 0, cr1 = 0n, cr3 = 0x1000n }: VcpuWords = {}): Part {
  const body = zeros(8 + 5168)
  const view = new DataView(body.buffer)
  view.setUint32(0, id, true)
  view.setBigUint64(8 + 616, BigInt(startInfo), true)
  view.setBigUint64(8 + 4832, BigInt(gdtFrame), true)
  view.setUint32(8 + 4960, gdtEntries, true)
  view.setBigUint64(8 + 4992, cr1, true)
  view.setBigUint64(8 + 5008, cr3, true)
  return record(0x04, body)
}
export const pvInfo = (width = 8, levels = 4): Part => record(0x02, Uint8Array.from([width, levels, 0, 0, 0, 0, 0, 0]))
export const p2m = (start: number, last: number, ...frames: readonly bigint[]): Part => record(0x03, join(words(start, last), longs(...frames)))
export const pvPages = pageData([[0, 0x0], [1, 0x4]], zeros(2 * 4096))

/** The smallest 64-bit PV image that nobody minds: pfn 0 is start_info and p2m, pfn 1 the top page table. */
export const pv = {
  image: imageHeader(),
  domain: domainHeader({ type: 1 }),
  atStart: [],
  info: pvInfo(),
  staticEnd: record(0x10),
  beforeP2m: [],
  p2m: p2m(0, 1, 0n),
  pages: pvPages,
  beforeVcpu: [],
  vcpu: vcpuBasic(),
  beforeEnd: [],
  end,
  behind: [],
} as const satisfies Layout

export const flat = (layout: Layout): readonly Part[] => Object.values(layout).flat()

interface LibxlWords {
  readonly ident?: string
  readonly version?: number
  readonly options?: number
}
export const libxlHeader = ({ ident = 'LibxlFmt', version = 2, options = 0 }: LibxlWords = {}): Part =>
  piece(Uint8Array.from([...ascii(ident), ...big(version, 4), ...big(options, 4)]))
/** Emulator state of QEMU. */
export const emulator = (id = 2, index = 0): Part => record(0x03, join(words(id, index), ascii('QEVM')))
export const xenstore = (...strings: readonly string[]): Part => record(0x02, join(words(2, 0), ...strings.map(ascii)))

/** A libxl stream around the HVM image. */
export const libxl = {
  header: libxlHeader(),
  libxcContext: record(0x01),
  image: flat(hvm),
  behindImage: [],
  emulator: emulator(),
  beforeEnd: [],
  end,
  behind: [],
} as const satisfies Layout

/** A libxl stream of Remus: the whole guest, one checkpoint, cut there. */
export const remus = {
  header: libxlHeader(),
  libxcContext: record(0x01),
  image: imageHeader(),
  domain: domainHeader(),
  staticEnd: record(0x10),
  pages: pageData([[16, 0xf]]),
  context,
  checkpoint: record(0x0e),
  inGroup: [],
  emulator: emulator(),
  checkpointEnd: record(0x04),
  behind: [],
} as const satisfies Layout

interface XlWords {
  readonly magic?: string
  readonly byteOrder?: number
  readonly mandatory?: number
  readonly optional?: number
  readonly length?: number
}
const config = ascii('{}\0')
export const xlBlock = (text: Uint8Array = config, said: number = text.length): Part => piece(join(words(said), text))
export const xlHeader = ({ magic = 'Xen saved domain, xl format\n \0 \r', byteOrder = 0x01020304, mandatory = 3, optional = 0, length = 4 + config.length }: XlWords = {}): Part =>
  piece(join(ascii(magic), words(byteOrder, mandatory, optional, length)))

/** An `xl` file around the libxl stream. */
export const xl = { header: xlHeader(), block: xlBlock(), stream: flat(libxl) } as const satisfies Layout
