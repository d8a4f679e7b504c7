import { u64 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { countedRows } from '../frame/counted-rows.ts'
import { recordCodec } from '../frame/record.ts'
import { hvmParamName } from './hvm-param-names.ts'
import { XC } from './record-types.ts'

const entry = struct(16, { index: u64, value: u64 })
export type HvmParam = StructOf<typeof entry>

/** Parameters of an HVM guest: addresses of its special pages and settings. */
export const hvmParams = recordCodec<readonly HvmParam[]>(
  XC.HVM_PARAMS,
  'HVM_PARAMS',
  'libxc-migration-stream, "HVM_PARAMS"',
  countedRows('HVM_PARAMS', entry, { nameOf: ({ index }) => hvmParamName(index) }),
)
