import { reserved, u32 } from '../bytes/field.ts'
import { struct, writeStruct } from '../bytes/struct.ts'
import type { Codec } from '../frame/codec.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { recordCodec, type RecordCodec } from '../frame/record.ts'

/** What every record about one vCPU of a PV guest holds. */
export interface VcpuRecord<T> {
  readonly vcpuId: number
  /** Undefined when the body ends after its front part: savers before 4.6 wrote such records, restorers pass over them. */
  readonly state: T | undefined
}

const front = struct(8, { vcpuId: u32, _res: reserved(4) })

/** What stands before what such a record says of the vCPU. */
export const vcpuFront = (vcpuId: number): Uint8Array => writeStruct(front, { vcpuId })

/** A record about one vCPU. @param blob the codec of what comes after the vCPU's number. */
export const vcpuRecord = <T>(type: number, name: string, blob: Codec<T>): RecordCodec<VcpuRecord<T>> =>
  recordCodec(type, name, `libxc-migration-stream, "${name}"`, frontAndRest({ what: name, front, key: 'state', rest: orNothing(blob) }))

const orNothing = <T>(blob: Codec<T>): Codec<T | undefined> => ({
  decode: (bytes) => (bytes.length === 0 ? undefined : blob.decode(bytes)),
  encode: (value) => (value === undefined ? new Uint8Array(0) : blob.encode(value)),
  toJson: (value) => (value === undefined ? null : blob.toJson(value)),
  fromJson: (json) => (json === null ? undefined : blob.fromJson(json)),
})
