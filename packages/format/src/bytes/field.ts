import { FormatError } from '../format-error.ts'

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A value of fixed size at a fixed place: how it stands in bytes, and how in JSON. */
export interface Field<T> {
  /** Bytes it takes. */
  readonly size: number
  get(view: DataView, at: number): T
  set(view: DataView, at: number, value: T): void
  toJson(value: T): Json
  fromJson(json: Json | undefined): T
}

const wrong = (wanted: string, json: Json | undefined): never => {
  throw new FormatError('FMT_JSON', `${wanted} wanted, ${JSON.stringify(json) ?? 'nothing'} found`, {
    hint: 'compare with the document that `xr decode` writes',
  })
}

function integer(size: number, min: number, max: number, get: Field<number>['get'], set: Field<number>['set']): Field<number> {
  return {
    size,
    get,
    set,
    toJson: (value) => value,
    fromJson: (json) =>
      typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max ? json : wrong(`an integer from ${min} to ${max}`, json),
  }
}

function wide(get: Field<bigint>['get'], set: Field<bigint>['set']): Field<bigint> {
  return { size: 8, get, set, toJson: (value) => `0x${value.toString(16)}`, fromJson: (json) => parseWide(json) }
}

function parseWide(json: Json | undefined): bigint {
  const value = typeof json === 'string' && /^0x[0-9a-f]{1,16}$/i.test(json) ? BigInt(json) : undefined
  return value ?? wrong('a 64-bit number as "0x…"', json)
}

/** Little-endian unless the name says `be`. Numbers up to 32 bits are `number`, 64-bit ones `bigint`. */
export const u8: Field<number> = integer(1, 0, 0xff, (v, at) => v.getUint8(at), (v, at, x) => v.setUint8(at, x))
export const u16: Field<number> = integer(2, 0, 0xffff, (v, at) => v.getUint16(at, true), (v, at, x) => v.setUint16(at, x, true))
export const u32: Field<number> = integer(4, 0, 0xffffffff, (v, at) => v.getUint32(at, true), (v, at, x) => v.setUint32(at, x, true))
export const s32: Field<number> = integer(4, -0x80000000, 0x7fffffff, (v, at) => v.getInt32(at, true), (v, at, x) => v.setInt32(at, x, true))
export const u64: Field<bigint> = wide((v, at) => v.getBigUint64(at, true), (v, at, x) => v.setBigUint64(at, x, true))
export const u16be: Field<number> = integer(2, 0, 0xffff, (v, at) => v.getUint16(at), (v, at, x) => v.setUint16(at, x))
export const u32be: Field<number> = integer(4, 0, 0xffffffff, (v, at) => v.getUint32(at), (v, at, x) => v.setUint32(at, x))
export const u64be: Field<bigint> = wide((v, at) => v.getBigUint64(at), (v, at, x) => v.setBigUint64(at, x))

/** Bytes that must be zero. They have no value: what stands there is judged by the rules, not by the codec. */
export const reserved = (size: number): Field<void> => ({
  size,
  get: () => undefined,
  set: () => undefined,
  toJson: () => null,
  fromJson: () => undefined,
})

/** `size` bytes without a meaning of their own; hexadecimal in JSON. */
export const raw = (size: number): Field<Uint8Array> => ({
  size,
  get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
  set: (view, at, value) => {
    if (value.length !== size) throw new FormatError('FMT_VALUE', `${size} bytes wanted, ${value.length} given`)
    new Uint8Array(view.buffer, view.byteOffset + at, size).set(value)
  },
  toJson: toHex,
  fromJson: (json) => {
    const bytes = typeof json === 'string' ? fromHex(json) : undefined
    return bytes?.length === size ? bytes : wrong(`${size} bytes in hexadecimal`, json)
  },
})

/** `count` values of the same kind, one behind the other. */
export const list = <T>(count: number, of: Field<T>): Field<readonly T[]> => ({
  size: count * of.size,
  get: (view, at) => Array.from({ length: count }, (_, i) => of.get(view, at + i * of.size)),
  set: (view, at, values) => {
    if (values.length !== count) throw new FormatError('FMT_VALUE', `${count} values wanted, ${values.length} given`)
    values.forEach((value, i) => of.set(view, at + i * of.size, value))
  },
  toJson: (values) => values.map((value) => of.toJson(value)),
  fromJson: (json) => (Array.isArray(json) && json.length === count ? json.map((j: Json) => of.fromJson(j)) : wrong(`a list of ${count}`, json)),
})

const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const HEX_PIECE = 4096

/** Bytes as lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  const pieces: string[] = [] // flat ones: a rope of a string a byte would take gigabytes for a body of the largest size
  for (let at = 0; at < bytes.length; at += HEX_PIECE) pieces.push(hexPiece(bytes.subarray(at, at + HEX_PIECE)))
  return pieces.join('')
}

function hexPiece(bytes: Uint8Array): string {
  const codes = new Uint8Array(2 * bytes.length)
  bytes.forEach((byte, i) => {
    codes[2 * i] = HEX_DIGITS[byte >> 4] as number
    codes[2 * i + 1] = HEX_DIGITS[byte & 15] as number
  })
  return String.fromCharCode(...codes)
}

/** @returns the bytes, or undefined when the text is not hexadecimal. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 === 1 || !/^[0-9a-f]*$/i.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digitAt(text, 2 * i) + digitAt(text, 2 * i + 1)
  return bytes
}

/** The value of a hexadecimal digit; letters of either case have bit 6, figures do not. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return (code & 15) + 9 * (code >> 6)
}
