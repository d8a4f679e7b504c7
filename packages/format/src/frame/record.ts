import type { Fields, Struct, ValuesOf } from '../bytes/struct.ts'
import { structCodec, type Codec } from './codec.ts'

/** A record type and what its body means. */
export interface RecordCodec<T> extends Codec<T> {
  /** Type number in the record's head. */
  readonly type: number
  readonly name: string
  /** Where the layout is written down. */
  readonly source: string
}

/** A record whose body is a codec's bytes. */
export const recordCodec = <T>(type: number, name: string, source: string, codec: Codec<T>): RecordCodec<T> => ({ type, name, source, ...codec })

/** A record with a body of fixed layout. */
export const structRecord = <F extends Fields>(type: number, name: string, source: string, layout: Struct<F>): RecordCodec<ValuesOf<F>> =>
  recordCodec(type, name, source, structCodec(name, layout))
