import { bodySizeError, raw, reserved, struct, u32, u8, type Codec, type Json, type StructOf, viewOf } from '@xen-replication/format'
import { SessionError } from '../session-error.ts'
import { count } from './count.ts'

/**
 * What stands before the payload of a batch. `offset`: of its first byte in the stream. `length`: bytes of the stream in it. `unpacked`: bytes of the
 * payload once it is decompressed. `crc`: CRC-32 of the stream's bytes. `codec`: 0 as it is, 1 by the compression that was agreed on. `form`: 1 when
 * runs of zeros are left out, 2 when pages are packed against copies that both sides keep.
 */
export const batchFront = struct(24, { offset: count, length: u32, unpacked: u32, crc: u32, codec: u8, form: u8, _: reserved(2) })
export type BatchFront = StructOf<typeof batchFront>

/** A piece of the stream as it travels. */
export type Batch = BatchFront & { readonly payload: Uint8Array }

/** Bytes are not copied: what is decoded holds on to the body. */
export const batch: Codec<Batch> = {
  decode: (body) => {
    if (body.length < batchFront.size) throw bodySizeError('data', `${batchFront.size} or more bytes`, body.length)
    return { ...batchFront.get(viewOf(body), 0), payload: body.subarray(batchFront.size) }
  },
  encode: (value) => {
    const bytes = new Uint8Array(batchFront.size + value.payload.length)
    bytes.set(encodeFront(value))
    bytes.set(value.payload, batchFront.size)
    return bytes
  },
  toJson: (value) => ({ ...(batchFront.toJson(value) as { readonly [key: string]: Json }), payload: raw(value.payload.length).toJson(value.payload) }),
  fromJson: (json) => {
    const { payload } = (json ?? {}) as { readonly [key: string]: Json }
    if (typeof payload !== 'string') throw new SessionError('SESSION_MALFORMED', 'a batch has a payload')
    return { ...batchFront.fromJson(json), payload: raw(payload.length / 2).fromJson(payload) }
  },
}

/** The front alone, so that a payload need not be copied to be sent. */
export function encodeFront(front: BatchFront): Uint8Array {
  const bytes = new Uint8Array(batchFront.size)
  batchFront.set(viewOf(bytes), 0, front)
  return bytes
}
