import { paddingOf, viewOf, xcRecordName, xl2RecordName } from '@xen-replication/format'
import type { StreamPlace } from './restore-error.ts'
import type { Cut, StreamFeed } from './stream-feed.ts'

/** The 8 bytes in front of every record of either layer, and where they stand. */
export interface RecordHead extends StreamPlace {
  readonly record: number
  readonly layer: 'libxc' | 'libxl'
  readonly type: number
  /** Of the body, in bytes. */
  readonly length: number
  /** What to say when the stream ends within this record. */
  readonly cut: Cut
}

/** Bytes in front of a body. */
export const HEAD_SIZE = 8

/** Bytes a record takes in its stream. */
export const recordSize = ({ length }: RecordHead): number => HEAD_SIZE + length + paddingOf(length)

/** Its type in words. */
export const recordName = ({ layer, type }: RecordHead): string => (layer === 'libxc' ? xcRecordName(type) : xl2RecordName(type)) ?? `record type 0x${type.toString(16)}`

/** Takes the next record's head. @returns undefined when the stream ends in front of it. */
export async function readHead(feed: StreamFeed, layer: RecordHead['layer']): Promise<RecordHead | undefined> {
  const { offset, records: record } = feed
  const cut: Cut = { code: layer === 'libxc' ? 'XC_RECORD_CUT' : 'XL2_RECORD_CUT', record }
  const bytes = await feed.upTo(HEAD_SIZE)
  if (bytes.length === 0) return undefined
  if (bytes.length < HEAD_SIZE) throw feed.ended(cut)
  feed.records++
  const view = viewOf(bytes)
  return { offset, record, layer, type: view.getUint32(0, true), length: view.getUint32(4, true), cut }
}

/** A whole body in memory of its own, its padding passed over. Memory grows with what came, not with what was announced. */
export async function readBody(feed: StreamFeed, head: RecordHead): Promise<Uint8Array<ArrayBuffer>> {
  const body = await feed.copy(head.length, head.cut)
  await feed.skip(paddingOf(head.length), head.cut)
  return body
}

/** Passes over the body and the padding. */
export const skipBody = (feed: StreamFeed, head: RecordHead): Promise<void> => feed.skip(head.length + paddingOf(head.length), head.cut)
