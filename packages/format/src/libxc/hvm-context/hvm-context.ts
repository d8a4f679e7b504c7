import { u16, u32, type Json } from '../../bytes/field.ts'
import { asObject, readStruct, struct, writeStruct } from '../../bytes/struct.ts'
import { FormatError } from '../../format-error.ts'
import { tooManyError } from '../../frame/codec.ts'
import { bodyFromDescription, describeBody } from '../../frame/describe.ts'
import { joinedList } from '../../bytes/joined.ts'
import { recordCodec } from '../../frame/record.ts'
import { listOf } from '../../frame/rows.ts'
import { XC } from '../record-types.ts'
import { HVM_SAVE_CODE, hvmSaveCodec, hvmSaveName } from './save-records.ts'

/** Most save records that are told apart: enough for 4096 vCPUs. */
const RECORDS_MAX = 1 << 16

const descriptor = struct(8, { typecode: u16, instance: u16, length: u32 })

/** One save record as it stands in the context. `hvmSaveCodec()` and the layouts of this folder read its body. */
export interface HvmSaveRecord {
  readonly typecode: number
  /** vCPU or device, counted from 0. */
  readonly instance: number
  readonly body: Uint8Array
}

/** State of an HVM guest's virtual hardware: save records, the last of them END. Source: public hvm/save.h. */
export const hvmContext = recordCodec<readonly HvmSaveRecord[]>(XC.HVM_CONTEXT, 'HVM_CONTEXT', 'libxc-migration-stream, "HVM_CONTEXT"; public hvm/save.h', {
  decode,
  encode: (records) => joinedList(records.flatMap((each) => [writeStruct(descriptor, { ...each, length: each.body.length }), each.body])),
  toJson: (records) => records.map(describeRecord),
  fromJson: (json) => listOf(json).map(recordFrom),
})

const bad = (what: string, at: number): FormatError =>
  new FormatError('FMT_BODY_SIZE', `HVM_CONTEXT: ${what} at byte ${at} of the body`, { hint: 'Xen refuses such a context; the record is damaged' })

function decode(bytes: Uint8Array): readonly HvmSaveRecord[] {
  const records: HvmSaveRecord[] = []
  let at = 0
  for (;;) {
    if (bytes.length - at < descriptor.size) throw bad('a save record wanted, the END one at last, but the context ends', at)
    const { typecode, instance, length } = readStruct(descriptor, bytes, at)
    const end = at + descriptor.size + length
    if (end > bytes.length) throw bad(`save record ${typecode} of ${length} bytes goes past the end`, at)
    if (records.length === RECORDS_MAX) throw tooManyError('HVM_CONTEXT', RECORDS_MAX)
    records.push({ typecode, instance, body: bytes.slice(at + descriptor.size, end) })
    at = end
    if (typecode === HVM_SAVE_CODE.END) break
  }
  if (at < bytes.length) throw bad(`${bytes.length - at} bytes follow END`, at)
  return records
}

function describeRecord({ typecode, instance, body }: HvmSaveRecord): Json {
  const name = hvmSaveName(typecode)
  const head = { typecode, instance, length: body.length, ...describeBody(hvmSaveCodec(typecode, body.length), body) }
  return name === undefined ? head : { name, ...head }
}

/** `length` tells which version of the layout; the body has the length of its values. */
function recordFrom(json: Json): HvmSaveRecord {
  const { typecode, instance, length } = descriptor.fromJson(json)
  return { typecode, instance, body: bodyFromDescription(hvmSaveCodec(typecode, length), asObject(json)) }
}
