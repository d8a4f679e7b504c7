/** Unsigned, little-endian. */
type FieldKind = 'u8' | 'u16' | 'u32' | 'u64'

/** Where a field lies, in bytes from the start of the structure, and how wide it is. */
type Field = readonly [offset: number, kind: FieldKind]

/** A C structure as its fields; bytes between them are zero. */
export interface Layout {
  /** Bytes, as sizeof says. */
  readonly size: number
  readonly fields: Readonly<Record<string, Field>>
}

/** What the fields of a layout hold: bigint for u64, number for the others. */
export type Values<L extends Layout> = { readonly [F in keyof L['fields']]: L['fields'][F][1] extends 'u64' ? bigint : number }

const WIDTH: Readonly<Record<FieldKind, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 }

/** Writes the fields given and zeros everything else. @param at start of the structure within `bytes`. */
export function writeStruct<L extends Layout>(layout: L, bytes: Uint8Array, at: number, values: Partial<Values<L>>): void {
  bytes.fill(0, at, at + layout.size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const [name, value] of Object.entries(values)) {
    const field = layout.fields[name]
    if (field !== undefined && value !== undefined) put(view, at, field, value as number | bigint)
  }
}

/** All fields of a structure. @param at start of the structure within `bytes`. */
export function readStruct<L extends Layout>(layout: L, bytes: Uint8Array, at: number): Values<L> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Object.fromEntries(Object.entries(layout.fields).map(([name, field]) => [name, get(view, at, field)])) as Values<L>
}

/** What is wrong with a table: a field that leaves its structure, lies across another or is not aligned. Empty when all is well. */
export function layoutFaults({ size, fields }: Layout): readonly string[] {
  const faults: string[] = []
  const sorted = Object.entries(fields).sort(([, [a]], [, [b]]) => a - b)
  let end = 0
  for (const [name, [offset, kind]] of sorted) {
    if (offset < end) faults.push(`${name} at ${offset} lies across the field before it`)
    if (offset % WIDTH[kind] !== 0) faults.push(`${name} at ${offset} is not aligned`)
    end = offset + WIDTH[kind]
    if (end > size) faults.push(`${name} at ${offset} leaves the ${size} bytes`)
  }
  return faults
}

function put(view: DataView, at: number, [offset, kind]: Field, value: number | bigint): void {
  if (kind === 'u64') view.setBigUint64(at + offset, BigInt(value), true)
  else if (kind === 'u32') view.setUint32(at + offset, Number(value), true)
  else if (kind === 'u16') view.setUint16(at + offset, Number(value), true)
  else view.setUint8(at + offset, Number(value))
}

function get(view: DataView, at: number, [offset, kind]: Field): number | bigint {
  if (kind === 'u64') return view.getBigUint64(at + offset, true)
  if (kind === 'u32') return view.getUint32(at + offset, true)
  return kind === 'u16' ? view.getUint16(at + offset, true) : view.getUint8(at + offset)
}
