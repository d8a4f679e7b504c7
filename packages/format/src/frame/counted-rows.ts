import { reserved, u32 } from '../bytes/field.ts'
import { readStruct, struct, writeStruct, type Fields, type Struct, type ValuesOf } from '../bytes/struct.ts'
import { bodySizeError, type Codec } from './codec.ts'
import { joined } from '../bytes/joined.ts'
import { rowsCodec, type RowsOptions } from './rows.ts'

const front = struct(8, { count: u32, _res: reserved(4) })

/** A count (32 bits, then 32 reserved) and that many rows. The value is the rows; the count is theirs. */
export function countedRows<F extends Fields>(
  what: string,
  row: Struct<F>,
  options: RowsOptions<ValuesOf<F>>,
): Codec<readonly ValuesOf<F>[]> {
  const rows = rowsCodec(what, row, options)
  return {
    ...rows,
    decode: (bytes) => {
      if (bytes.length < front.size) throw bodySizeError(what, `${front.size} or more bytes`, bytes.length)
      const { count } = readStruct(front, bytes)
      const wanted = front.size + count * row.size
      if (bytes.length !== wanted) throw bodySizeError(what, `${wanted} bytes for a count of ${count}`, bytes.length)
      return rows.decode(bytes.subarray(front.size))
    },
    encode: (values) => joined(writeStruct(front, { count: values.length }), rows.encode(values)),
  }
}
