import type { Field, Json } from '../bytes/field.ts'
import { FormatError } from '../format-error.ts'

const wrong = (wanted: string, json: Json | undefined): FormatError =>
  new FormatError('FMT_JSON', `${wanted} wanted, ${JSON.stringify(json) ?? 'nothing'} found`)

/** A signed byte. */
export const s8: Field<number> = {
  size: 1,
  get: (view, at) => view.getInt8(at),
  set: (view, at, value) => view.setInt8(at, value),
  toJson: (value) => value,
  fromJson: (json) => {
    if (typeof json !== 'number' || !Number.isInteger(json) || json < -0x80 || json > 0x7f) throw wrong('an integer from -128 to 127', json)
    return json
  },
}

/** A signed 64-bit number, little-endian; decimal text in JSON. */
export const s64: Field<bigint> = {
  size: 8,
  get: (view, at) => view.getBigInt64(at, true),
  set: (view, at, value) => view.setBigInt64(at, value, true),
  toJson: (value) => value.toString(),
  fromJson: (json) => {
    const value = typeof json === 'string' && /^-?\d{1,19}$/.test(json) ? BigInt(json) : undefined
    if (value === undefined || BigInt.asIntN(64, value) !== value) throw wrong('a signed 64-bit number as text', json)
    return value
  },
}
