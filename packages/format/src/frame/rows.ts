import type { Json } from '../bytes/field.ts'
import { inField } from '../bytes/in-field.ts'
import { readStruct, viewOf, type Fields, type Struct, type ValuesOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError, tooManyError, type Codec } from './codec.ts'

/** Most rows that are told apart, many times what Xen ever writes. A longer body stays bytes, which take far less memory. */
const ROWS_MAX = 1 << 16

/** What is special about a list of rows. */
export interface RowsOptions<V> {
  /** Fewest rows; 0 unless told. */
  readonly min?: number
  /** A name to put beside a row in JSON, for the reader; it is ignored on the way back. */
  readonly nameOf?: (row: V) => string | undefined
}

/** Bytes that are rows of one layout, one behind the other, to the end. */
export function rowsCodec<F extends Fields>(
  what: string,
  row: Struct<F>,
  { min = 0, nameOf = () => undefined }: RowsOptions<ValuesOf<F>> = {},
): Codec<readonly ValuesOf<F>[]> {
  return {
    decode: (bytes) => {
      const count = bytes.length / row.size
      if (!Number.isInteger(count) || count < min) throw bodySizeError(what, `${min} or more times ${row.size} bytes`, bytes.length)
      if (count > ROWS_MAX) throw tooManyError(what, ROWS_MAX)
      return Array.from({ length: count }, (_, i) => readStruct(row, bytes, i * row.size))
    },
    encode: (rows) => {
      const bytes = new Uint8Array(rows.length * row.size)
      rows.forEach((value, i) => row.set(viewOf(bytes), i * row.size, value))
      return bytes
    },
    toJson: (rows) => rows.map((value) => named(nameOf(value), row.toJson(value))),
    fromJson: (json) => listOf(json).map((item, i) => inField(`row ${i}`, () => row.fromJson(item))),
  }
}

const named = (name: string | undefined, json: Json): Json => (name === undefined ? json : { name, ...(json as { readonly [key: string]: Json }) })

/** @throws FormatError FMT_JSON when `json` is not a list. */
export function listOf(json: Json | undefined): readonly Json[] {
  if (!Array.isArray(json)) throw new FormatError('FMT_JSON', 'a list wanted, something else found')
  return json as readonly Json[]
}
