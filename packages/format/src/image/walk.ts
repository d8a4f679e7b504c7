import type { ByteReader } from '../bytes/byte-reader.ts'
import { HOLD_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { XL2 } from '../libxl/record-types.ts'
import { XC, xcRecordName } from '../libxc/record-types.ts'
import { FIRST_BYTES, recognise, type ImageFormat } from './recognise.ts'
import type { HeaderItem, Item, StopItem } from './item.ts'
import { RecordReader } from './record-reader.ts'
import { itemsOf, there, type Steps } from './steps.ts'

/** What the caller knows of the image; `auto` looks at the first bytes. */
export interface WalkOptions {
  readonly format?: ImageFormat | 'auto'
}

/**
 * Walks an image of any kind from its first byte to its outermost END, piece by piece, through all layers,
 * and follows damaged ones as far as record heads allow. It judges nothing; that is what rules are for.
 *
 * The items of a walk share one reader: a body is to be read before the next item is asked for. What the
 * caller leaves of a body is passed over.
 *
 * Source: libxl-migration-stream, libxc-migration-stream, and the order in which libxl's stream reader and
 * libxc's restorer hand one descriptor to and fro.
 */
export function walk(reader: ByteReader, { format = 'auto' }: WalkOptions = {}): AsyncGenerator<Item, void, void> {
  return itemsOf(walkImage(new RecordReader(reader), format))
}

function* walkImage(records: RecordReader, format: ImageFormat | 'auto'): Steps {
  const { reader } = records
  const first = format === 'auto' ? recognise(yield* there(reader.peek(FIRST_BYTES))) : format
  switch (first) {
    case 'xl':
      return yield* walkXl(records)
    case 'libxl':
      return yield* walkLibxl(records)
    case 'libxc':
      return yield* walkLibxc(records)
    case 'legacy':
      return yield* legacyFrom(records)
    case 'unknown':
      return (yield* there(reader.peek(1))).length === 0 ? records.stop('eof', 'libxc', 'header') : records.stop('lost', 'libxc', 'header')
  }
}

function* legacyFrom(records: RecordReader): Steps {
  yield { kind: 'legacy', layer: 'legacy', offset: records.reader.offset, reader: records.reader }
  return records.stop('end', 'legacy')
}

function* walkXl(records: RecordReader): Steps {
  const header = yield* records.header('xl', 48)
  if (header.kind === 'stop') return header
  yield { kind: 'xl-header', ...header }
  const view = viewOf(header.bytes)
  const length = view.getUint32(44, true)
  if (length > HOLD_MAX) {
    if ((yield* there(records.reader.skip(length))) < length) return records.stop('cut', 'xl', 'header')
  } else if (length > 0) {
    const block = yield* records.header('xl', length)
    if (block.kind === 'stop') return block
    yield { kind: 'xl-block', ...block }
  }
  if ((view.getUint32(36, true) & 2) !== 0) return yield* walkLibxl(records)
  // Without the v2 flag xl expects a legacy stream, Xen's verifier a bare libxc one: the bytes decide.
  return yield* walkUnflagged(records)
}

function* walkUnflagged(records: RecordReader): Steps {
  switch (recognise(yield* there(records.reader.peek(FIRST_BYTES)))) {
    case 'libxc':
      return yield* walkLibxc(records)
    case 'libxl':
      return yield* walkLibxl(records)
    default:
      return yield* legacyFrom(records)
  }
}

function* walkLibxl(records: RecordReader): Steps {
  const header = yield* records.header('libxl', 16)
  if (header.kind === 'stop') return header
  yield { kind: 'libxl-header', ...header }
  if (viewOf(header.bytes).getUint32(8) !== 2) return records.stop('lost', 'libxl')
  for (;;) {
    const record = yield* records.next('libxl')
    if (record.kind === 'stop') return record
    if (record.type === XL2.END) return records.stop('end', 'libxl')
    if (record.type === XL2.LIBXC_CONTEXT) {
      const inner = yield* walkLibxc(records, walkCheckpointGroup)
      if (inner.reason !== 'end') return inner
    }
  }
}

/** What stands in a libxl stream between a libxc CHECKPOINT and the next libxc record. */
function* walkCheckpointGroup(records: RecordReader): Steps<StopItem | undefined> {
  for (;;) {
    const record = yield* records.next('libxl')
    if (record.kind === 'stop') return { ...record, inCheckpoint: true }
    if (record.type === XL2.END) return records.stop('end', 'libxl')
    if (record.type === XL2.CHECKPOINT_END) break
  }
  // COLO says NEW here. PV guests have no COLO, so this cannot be their X86_PV_VCPU_EXTENDED, which has a longer body anyway.
  const next = viewOf(new Uint8Array(yield* there(records.reader.peek(8))))
  if (next.byteLength === 8 && next.getUint32(0, true) === XL2.CHECKPOINT_STATE && next.getUint32(4, true) === 4) {
    const record = yield* records.next('libxl')
    if (record.kind === 'stop') return record
  }
  return undefined
}

function* walkLibxc(records: RecordReader, atCheckpoint?: typeof walkCheckpointGroup): Steps {
  const image = yield* records.header('libxc', 24)
  if (image.kind === 'stop') return image
  yield { kind: 'image-header', ...image }
  if (!isFollowable(image)) return records.stop('lost', 'libxc')
  const domain = yield* records.header('libxc', 16)
  if (domain.kind === 'stop') return domain
  yield { kind: 'domain-header', ...domain }
  for (;;) {
    const record = yield* records.next('libxc')
    if (record.kind === 'stop') return record
    if (record.type === XC.END) return records.stop('end', 'libxc')
    if (record.type === XC.CHECKPOINT) {
      records.checkpointPassed()
      if (atCheckpoint === undefined || isLibxcHead(yield* there(records.reader.peek(8)), isPv(domain))) continue
      const stop = yield* atCheckpoint(records)
      if (stop !== undefined) return stop
    }
  }
}

/** A damaged marker or id alone does not stop the walk; another version would have other records. */
function isFollowable({ bytes }: Pick<HeaderItem, 'bytes'>): boolean {
  const view = viewOf(bytes)
  const marker = view.getBigUint64(0) === 0xffff_ffff_ffff_ffffn
  const id = view.getUint32(8) === 0x58454e46
  const version = view.getUint32(12)
  return (marker || id) && (version === 2 || version === 3)
}

const isPv = ({ bytes }: Pick<HeaderItem, 'bytes'>): boolean => viewOf(bytes).getUint32(0, true) === 1

/**
 * Whether what follows a CHECKPOINT inside a libxl stream is a libxc record after all. Both streams count their types from 0; but a
 * checkpoint's own records are empty (CHECKPOINT_END), belong to HVM guests (emulator records, where libxc has PV ones) or are unknown to libxc.
 */
function isLibxcHead(head: Uint8Array, pv: boolean): boolean {
  if (head.length < 8) return false
  const view = viewOf(head)
  const type = view.getUint32(0, true)
  const empty = view.getUint32(4, true) === 0
  if (type === XC.PAGE_DATA || type === XC.X86_PV_VCPU_BASIC) return !empty
  const pvOnly = type === XC.X86_PV_INFO || type === XC.X86_PV_P2M_FRAMES || type === XC.X86_PV_VCPU_EXTENDED
  return pvOnly ? pv : xcRecordName(type) !== undefined
}
