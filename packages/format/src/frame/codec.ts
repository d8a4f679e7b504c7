import { fromHex, toHex, type Json } from '../bytes/field.ts'
import { readStruct, writeStruct, type Fields, type Struct, type ValuesOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'

/** Bytes of any length and the value that they stand for, both ways, and the value in JSON. */
export interface Codec<T> {
  /** @throws FormatError FMT_BODY_SIZE when there are too few or too many bytes, FMT_VALUE for a value that cannot be held. */
  decode(bytes: Uint8Array): T
  /** Reserved fields are written as zero, so this gives back the bytes decoded unless those were not zero. */
  encode(value: T): Uint8Array
  toJson(value: T): Json
  /** @throws FormatError FMT_JSON */
  fromJson(json: Json | undefined): T
}

/**
 * The error for a body whose length its layout does not allow.
 *
 * @param what the record or the part of it.
 * @param wanted the lengths allowed, in words.
 * @param got its length in bytes.
 */
export const bodySizeError = (what: string, wanted: string, got: number): FormatError =>
  new FormatError('FMT_BODY_SIZE', `${what}: ${wanted} wanted, ${got} bytes found`, {
    hint: 'the record is damaged or of a version that xr does not know; `xr verify` tells who would refuse it',
  })

/** The error for a body of so many parts that naming each would take more memory than it is worth. @param most parts taken. */
export const tooManyError = (what: string, most: number): FormatError =>
  new FormatError('FMT_BODY_TOO_LARGE', `${what}: more than ${most} parts`, { hint: 'no Xen writes so many; look at the record’s bytes instead' })

/** Bytes that are exactly one fixed layout. */
export const structCodec = <F extends Fields>(what: string, layout: Struct<F>): Codec<ValuesOf<F>> => ({
  decode: (bytes) => {
    if (bytes.length !== layout.size) throw bodySizeError(what, `${layout.size} bytes`, bytes.length)
    return readStruct(layout, bytes)
  },
  encode: (value) => writeStruct(layout, value),
  toJson: (value) => layout.toJson(value),
  fromJson: (json) => layout.fromJson(json),
})

/** Bytes without a meaning here; hexadecimal in JSON. */
export const opaque: Codec<Uint8Array> = {
  decode: (bytes) => bytes.slice(),
  encode: (value) => value,
  toJson: toHex,
  fromJson: hexOf,
}

/** @throws FormatError FMT_JSON when `json` is not a text of hexadecimal digits. */
export function hexOf(json: Json | undefined): Uint8Array {
  const bytes = typeof json === 'string' ? fromHex(json) : undefined
  if (bytes === undefined) throw new FormatError('FMT_JSON', 'bytes in hexadecimal wanted, something else found')
  return bytes
}
