import type { Json } from '../bytes/field.ts'
import { inField } from '../bytes/in-field.ts'
import { asObject, readStruct, writeStruct, type Fields, type Struct, type ValuesOf } from '../bytes/struct.ts'
import { bodySizeError, type Codec } from './codec.ts'
import { joined } from '../bytes/joined.ts'

/** A fixed layout followed by bytes of any length that another codec reads, under the name `key`. */
export interface FrontAndRest<F extends Fields, K extends string, R> {
  readonly what: string
  readonly front: Struct<F>
  readonly key: K
  readonly rest: Codec<R>
}

/** The value: the fields of the front part, and `key`. */
export type WithRest<F extends Fields, K extends string, R> = ValuesOf<F> & { readonly [P in K]: R }

export function frontAndRest<const F extends Fields, const K extends string, R>(parts: FrontAndRest<F, K, R>): Codec<WithRest<F, K, R>> {
  const { what, front, key, rest } = parts
  type Value = WithRest<F, K, R>
  const whole = (fields: ValuesOf<F>, end: R): Value => ({ ...fields, [key]: end }) as Value
  return {
    decode: (bytes) => {
      if (bytes.length < front.size) throw bodySizeError(what, `${front.size} or more bytes`, bytes.length)
      return whole(readStruct(front, bytes), rest.decode(bytes.subarray(front.size)))
    },
    encode: (value) => joined(writeStruct(front, value), rest.encode(value[key])),
    toJson: (value) => ({ ...(front.toJson(value) as { readonly [key: string]: Json }), [key]: rest.toJson(value[key]) }),
    fromJson: (json) => whole(front.fromJson(json), inField(key, () => rest.fromJson(asObject(json)[key]))),
  }
}
