import { FormatError } from '../format-error.ts'
import type { Field, Json } from './field.ts'
import { inField } from './in-field.ts'

// `any`-free way to say "a field of whatever type": what goes in and out is tied together by ValuesOf.
type AnyField = Field<never> | Field<unknown>
/** Named fields in the order in which they stand in memory. */
export type Fields = Readonly<Record<string, AnyField>>
type ValueOf<F> = F extends { get(view: DataView, at: number): infer T } ? T : never

/** The object that a table of fields stands for; reserved fields have no key. */
export type ValuesOf<F extends Fields> = { readonly [K in keyof F as ValueOf<F[K]> extends void ? never : K]: ValueOf<F[K]> }

/** A fixed layout: the table is the codec, the type is derived from it. */
export interface Struct<F extends Fields> extends Field<ValuesOf<F>> {
  readonly fields: F
}
/** The value type of a declared struct. */
export type StructOf<S> = S extends Struct<infer F> ? ValuesOf<F> : never

/**
 * Declares a layout.
 *
 * @param size what the fields must add up to, in bytes: a table with a slip in it cannot be loaded.
 */
export function struct<const F extends Fields>(size: number, fields: F): Struct<F> {
  const table = place(fields)
  const sum = table.reduce((n, { field }) => n + field.size, 0)
  if (sum !== size) throw new TypeError(`the fields add up to ${sum} bytes, the layout says ${size}`)
  const named = table.filter(({ holds }) => holds)
  return {
    size,
    fields,
    get: (view, at) => Object.fromEntries(named.map(({ key, field, from }) => [key, field.get(view, at + from)])) as ValuesOf<F>,
    set: (view, at, value) => named.forEach(({ key, field, from }) => field.set(view, at + from, (value as Record<string, unknown>)[key])),
    toJson: (value) => Object.fromEntries(named.map(({ key, field }) => [key, field.toJson((value as Record<string, unknown>)[key])])),
    fromJson: (json) => {
      const object = asObject(json)
      return Object.fromEntries(named.map(({ key, field }) => [key, inField(key, () => field.fromJson(object[key]))])) as ValuesOf<F>
    },
  }
}

interface Placed {
  readonly key: string
  readonly field: Field<unknown>
  readonly from: number
  readonly holds: boolean
}

function place(fields: Fields): readonly Placed[] {
  let from = 0
  return Object.entries(fields).map(([key, anyField]) => {
    const field = anyField as Field<unknown>
    const placed = { key, field, from, holds: field.get(new DataView(new ArrayBuffer(field.size)), 0) !== undefined }
    from += field.size
    return placed
  })
}

/** @throws FormatError FMT_JSON when `json` is anything but an object. */
export function asObject(json: Json | undefined): { readonly [key: string]: Json } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new FormatError('FMT_JSON', `an object wanted, ${JSON.stringify(json) ?? 'nothing'} found`)
  }
  return json as { readonly [key: string]: Json }
}

/** Reads a struct at `at` of `bytes`; the caller has made sure that it fits. */
export function readStruct<F extends Fields>(layout: Struct<F>, bytes: Uint8Array, at = 0): ValuesOf<F> {
  return layout.get(viewOf(bytes), at)
}

/** A struct as fresh bytes; reserved fields are zero. */
export function writeStruct<F extends Fields>(layout: Struct<F>, value: ValuesOf<F>): Uint8Array {
  const bytes = new Uint8Array(layout.size)
  layout.set(viewOf(bytes), 0, value)
  return bytes
}

/** A DataView over exactly these bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
