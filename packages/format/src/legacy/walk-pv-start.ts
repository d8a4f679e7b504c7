import { PAGE_SIZE } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { VCPU_CONTEXT } from './chunk-types.ts'
import type { LegacyCursor } from './cursor.ts'
import { LegacyError } from './legacy-error.ts'
import { refuseCut, type ExtendedBlockStep, type LegacySteps } from './steps.ts'

/** Largest PV guest in pages: its last pfn has to fit 32 bits. */
const PAGES_MAX = 1n << 32n
const BLOCK_HEAD = 8

/** What a PV stream has between its first word and its chunks: extended information and the frames of the p2m table. */
export async function* walkPvStart(cursor: LegacyCursor, p2mSize: bigint): LegacySteps {
  if (p2mSize === 0n || p2mSize > PAGES_MAX) throw new LegacyError('LG_P2M_SIZE', cursor.offset - cursor.width / 8, `${p2mSize} pages`)
  const marker = cursor.offset
  if ((await cursor.ulong()) !== (1n << BigInt(cursor.width)) - 1n) throw new LegacyError('LG_EXT_MARKER', marker)
  yield* walkExtendedInfo(cursor, marker)
  const context = VCPU_CONTEXT.get(cursor.basicSize)
  if (context === undefined) throw new LegacyError('LG_EXT_VCPU_MISSING', marker)
  const offset = cursor.offset
  const count = Math.floor((Number(p2mSize) - 1) / (PAGE_SIZE / context.width)) + 1
  const frames = cursor.words(count)
  yield { kind: 'p2m-frames', offset, count, frames }
  await frames.skip()
  refuseCut(frames)
}

async function* walkExtendedInfo(cursor: LegacyCursor, offset: number): LegacySteps {
  const length = await cursor.u32()
  yield { kind: 'extended-info', offset, length }
  const end = cursor.offset + length
  while (cursor.offset < end) {
    const block = await readBlock(cursor, end)
    apply(cursor, block)
    yield block
  }
}

async function readBlock(cursor: LegacyCursor, end: number): Promise<ExtendedBlockStep> {
  const offset = cursor.offset
  const head = await cursor.view(BLOCK_HEAD)
  const id = String.fromCharCode(...new Uint8Array(head.buffer, head.byteOffset, 4))
  const size = head.getUint32(4, true)
  if (cursor.offset + size > end) throw new LegacyError('LG_EXT_LENGTH', offset, `${size} bytes in a block where ${Math.max(0, end - cursor.offset)} are left`)
  return { kind: 'extended-block', offset, id, data: await cursor.blob(size) }
}

function apply(cursor: LegacyCursor, { offset, id, data }: ExtendedBlockStep): void {
  switch (id) {
    case 'vcpu':
      if (!VCPU_CONTEXT.has(data.length)) throw new LegacyError('LG_EXT_VCPU_SIZE', offset, `${data.length} bytes`)
      cursor.basicSize = data.length
      return
    case 'extv':
      cursor.hasExtended = true
      return
    case 'xcnt':
      if (data.length < 4) throw new LegacyError('LG_EXT_XCNT_SHORT', offset, `${data.length} bytes`)
      cursor.xsaveSize = viewOf(data).getUint32(0, true)
  }
}
