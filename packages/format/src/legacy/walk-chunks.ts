import { LEGACY_BATCH_MAX, LEGACY_VCPU_MAX, PAGE_SIZE } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { Body } from '../image/body.ts'
import { CHUNK, hvmParamChunk, type HvmParamChunk } from './chunk-types.ts'
import type { LegacyCursor } from './cursor.ts'
import { legacyEntries } from './entries.ts'
import { LegacyError } from './legacy-error.ts'
import { refuseCut, type BatchStep, type CompressedDataStep, type LegacyStep, type LegacySteps } from './steps.ts'

/** First byte of the encoding of a page that is sent whole, as the first page always is. */
const WHOLE_PAGE = 0x80
/** No stream is longer; lengths above it would not count exactly. */
const LENGTH_MAX = 2 ** 52

/** The chunks, with the one that ends them. */
export async function* walkChunks(cursor: LegacyCursor): LegacySteps {
  for (;;) {
    const offset = cursor.offset
    const type = await cursor.s32()
    const step = type > 0 ? await readBatch(cursor, offset, type) : await readChunk(cursor, offset, type)
    yield step
    const body = bodyIn(step)
    await body?.skip()
    if (body !== undefined) refuseCut(body)
    if (step.kind === 'end-of-chunks') return
  }
}

function bodyIn(step: LegacyStep): Body | undefined {
  if (step.kind === 'compressed-data') return step.data
  return step.kind === 'batch' && step.contents !== 'compressed' ? step.contents : undefined
}

async function readBatch(cursor: LegacyCursor, offset: number, count: number): Promise<BatchStep> {
  if (count > LEGACY_BATCH_MAX) throw new LegacyError('LG_BATCH_SIZE', offset, `${count} pages`)
  const entries = legacyEntries(await cursor.reader.copy(count * (cursor.width / 8)), cursor.width)
  const contents = cursor.compressing ? 'compressed' : new Body(cursor.reader, entries.contents * PAGE_SIZE)
  return { kind: 'batch', offset, entries, contents }
}

async function readChunk(cursor: LegacyCursor, offset: number, type: number): Promise<LegacyStep> {
  switch (type) {
    case CHUNK.END:
      return { kind: 'end-of-chunks', offset }
    case CHUNK.ENABLE_VERIFY_MODE:
      return { kind: 'verify-mode', offset }
    case CHUNK.VCPU_INFO:
      return readVcpuInfo(cursor, offset)
    case CHUNK.TMEM:
    case CHUNK.TMEM_EXTRA:
      throw new LegacyError('LG_TMEM', offset)
    case CHUNK.TSC_INFO: {
      const view = await cursor.view(20)
      const nsec = view.getBigUint64(4, true)
      return { kind: 'tsc-info', offset, mode: view.getUint32(0, true), nsec, khz: view.getUint32(12, true), incarnation: view.getUint32(16, true) }
    }
    case CHUNK.LAST_CHECKPOINT:
      return { kind: 'last-checkpoint', offset }
    case CHUNK.COMPRESSED_DATA:
      return readCompressedData(cursor, offset)
    case CHUNK.ENABLE_COMPRESSION:
      cursor.compressing = true
      return { kind: 'enable-compression', offset }
    case CHUNK.TOOLSTACK:
      return { kind: 'toolstack', offset, data: await cursor.blob(await cursor.u32()) }
    default: {
      const chunk = hvmParamChunk(type)
      if (chunk === undefined) throw new LegacyError('LG_CHUNK_UNKNOWN', offset, `${type}`)
      return readHvmParam(cursor, offset, type, chunk)
    }
  }
}

async function readHvmParam(cursor: LegacyCursor, offset: number, type: number, { name, param }: HvmParamChunk): Promise<LegacyStep> {
  const view = await cursor.view(12)
  return { kind: 'hvm-param', offset, chunk: type, name, param, pad: view.getUint32(0, true), value: view.getBigUint64(4, true) }
}

async function readVcpuInfo(cursor: LegacyCursor, offset: number): Promise<LegacyStep> {
  const maxId = await cursor.s32()
  if (maxId > LEGACY_VCPU_MAX) throw new LegacyError('LG_VCPU_MAX', offset, `${maxId}`)
  const words = Math.max(0, Math.floor(maxId / 64) + 1)
  const bitmap = await cursor.reader.copy(8 * words)
  cursor.online.push(bitmap)
  return { kind: 'vcpu-info', offset, maxId, bitmap }
}

async function readCompressedData(cursor: LegacyCursor, offset: number): Promise<CompressedDataStep> {
  if (!cursor.compressing) throw new LegacyError('LG_COMPRESSION_OFF', offset)
  cursor.compressedSizeBytes ??= await guessSizeBytes(cursor)
  const view = await cursor.view(cursor.compressedSizeBytes)
  const size = cursor.compressedSizeBytes === 4 ? view.getUint32(0, true) : Math.min(Number(view.getBigUint64(0, true)), LENGTH_MAX)
  return { kind: 'compressed-data', offset, sizeBytes: cursor.compressedSizeBytes, data: new Body(cursor.reader, size) }
}

async function guessSizeBytes(cursor: LegacyCursor): Promise<4 | 8> {
  const first = await cursor.reader.peek(9)
  return first[8] === WHOLE_PAGE && viewOf(first).getUint32(4, true) === 0 ? 8 : 4
}
