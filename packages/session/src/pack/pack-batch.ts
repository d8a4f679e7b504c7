import type { Clock } from '@xen-replication/plugin-api'
import { crc32 } from 'node:zlib'
import type { Batch } from '../frame/batch.ts'
import { SessionError } from '../session-error.ts'
import { SAMPLE_BYTES, type Adaptive, type BatchCost } from './adaptive.ts'
import type { Compressor } from './compressor.ts'
import { unpackPages } from './page-batch.ts'
import type { PageUnpacker } from './page-packer.ts'
import { elideZeros, fresh, restoreZeros, type Memory } from './zero-runs.ts'

/** What was done to the bytes of a batch before it was compressed. */
export const FORM = { plain: 0, zeros: 1, pages: 2 } as const

/** What two sides agreed on for their batches. */
export interface Packing {
  readonly zeros: boolean
  readonly compressor: Compressor | undefined
  /** Where pages may be packed: takes them apart. */
  readonly pages?: PageUnpacker | undefined
  /** For what leaving out and putting back zeros makes. */
  readonly memory?: Memory
}

export interface Packed {
  readonly batch: Batch
  /** What compression took; the time on the wire is still to be added. */
  readonly cost: BatchCost
}

/** Makes a batch of bytes of the stream; its payload may lie in the same memory. @param offset of the first byte in the stream. */
export async function packBatch(bytes: Uint8Array, offset: number, { zeros, compressor, memory }: Packing, adaptive: Adaptive, clock: Clock): Promise<Packed> {
  const elided = zeros ? elideZeros(bytes, memory) : undefined
  const unpacked = elided ?? bytes
  const batch = { offset, length: bytes.length, unpacked: unpacked.length, crc: crc32(bytes), codec: 0, form: elided === undefined ? FORM.plain : FORM.zeros, payload: unpacked }
  return compressed(batch, compressor, adaptive, clock)
}

/** Compresses the payload of a batch where that is worth it. */
export async function compressed(batch: Batch, compressor: Compressor | undefined, adaptive: Adaptive, clock: Clock): Promise<Packed> {
  const { payload: unpacked, length } = batch
  const how = compressor === undefined || unpacked.length < LEAST ? 'plain' : adaptive.plan(length)
  const cost = { how, bytes: length, ms: 0, packMs: 0, from: 0, to: 0 }
  if (how === 'plain') return { batch, cost }
  const from = how === 'sampled' ? unpacked.subarray(0, SAMPLE_BYTES) : unpacked
  const start = clock.now()
  const made = await (compressor as Compressor).compress(from)
  const packMs = clock.now() - start
  const smaller = how === 'packed' && made.length < unpacked.length
  return { batch: smaller ? { ...batch, codec: 1, payload: made } : batch, cost: { ...cost, packMs, ms: packMs, from: from.length, to: made.length } }
}

/** Batches shorter than that are not worth a look, in bytes. */
const LEAST = 512

/**
 * The bytes of the stream in a batch. Nothing is taken on trust: lengths are compared with the limit before memory is taken.
 *
 * @param most longest batch, in bytes of the stream, as agreed on.
 * @throws SessionError SESSION_TOO_LARGE, SESSION_DAMAGED, SESSION_UNEXPECTED for a packing that was not agreed on
 */
export async function unpackBatch(batch: Batch, { zeros, compressor, pages, memory }: Packing, most: number): Promise<Uint8Array> {
  const grows = batch.form === FORM.pages // by the heads of pages
  if (batch.length === 0 || batch.length > most || batch.unpacked > (grows ? most : batch.length)) {
    throw new SessionError('SESSION_TOO_LARGE', `a batch of ${batch.length} bytes, ${batch.unpacked} before zeros are put back; 1 to ${most} are allowed`)
  }
  const allowed = new Set<number>([FORM.plain, ...(zeros ? [FORM.zeros] : []), ...(pages === undefined ? [] : [FORM.pages])])
  if (batch.codec > (compressor === undefined ? 0 : 1) || !allowed.has(batch.form)) {
    throw new SessionError('SESSION_UNEXPECTED', 'a batch is packed in a way that was not agreed on')
  }
  const unpacked = batch.codec === 0 ? batch.payload : await decompressed(batch, compressor as Compressor)
  if (unpacked.length !== batch.unpacked) throw damaged('it has another length than announced')
  const bytes = opened()
  if (bytes.length !== batch.length || crc32(bytes) !== batch.crc) throw damaged('its checksum does not fit')
  return bytes

  function opened(): Uint8Array {
    if (batch.form === FORM.plain) return unpacked
    return batch.form === FORM.zeros ? restoreZeros(unpacked, batch.length, memory) : unpackPages(unpacked, batch.length, pages as PageUnpacker, memory ?? fresh)
  }
  function damaged(why: string, cause?: unknown): SessionError {
    return new SessionError('SESSION_DAMAGED', `the batch at ${batch.offset} of the stream was changed on its way: ${why}`, { cause })
  }
  async function decompressed({ payload, unpacked: size }: Batch, by: Compressor): Promise<Uint8Array> {
    try {
      return await by.decompress(payload, size)
    } catch (error) {
      throw damaged('it cannot be decompressed', error)
    }
  }
}
