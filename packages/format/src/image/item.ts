import type { ByteReader } from '../bytes/byte-reader.ts'
import type { PageData, PageDataFault } from '../libxc/page-data.ts'
import type { Body } from './body.ts'

/** The part of an image that a byte belongs to. */
export type Layer = 'xl' | 'libxl' | 'libxc' | 'legacy'

/** A fixed-size piece: a header, or the `xl` file's optional block. */
export interface HeaderItem {
  readonly kind: 'xl-header' | 'xl-block' | 'libxl-header' | 'image-header' | 'domain-header'
  readonly layer: Layer
  readonly offset: number
  readonly bytes: Uint8Array
}

/** One record of either stream. */
export interface RecordItem {
  readonly kind: 'record'
  readonly layer: 'libxl' | 'libxc'
  /** Counts the records of the whole image, both layers, from 0. */
  readonly index: number
  /** Offset of the record's 8-byte head. */
  readonly offset: number
  readonly type: number
  /** Body length in bytes, as the head says. */
  readonly length: number
  /** Name of the type; undefined when unknown. */
  readonly name: string | undefined
  /** libxc CHECKPOINT records before this one. */
  readonly epoch: number
  /** PAGE_DATA only, already taken out of the body: its pages are what is left there. */
  readonly pages: PageData | undefined
  /** PAGE_DATA only: why there is no `pages`; the body is whole then. */
  readonly fault: PageDataFault | undefined
  readonly body: Body
}

/** Padding that is not zero. Zero padding is not reported. */
export interface PaddingItem {
  readonly kind: 'padding'
  readonly layer: 'libxl' | 'libxc'
  readonly offset: number
  readonly bytes: Uint8Array
  /** The record it belongs to. */
  readonly index: number
}

/**
 * The last item of every walk.
 * - `end`: the outermost END was read; what follows in the source was not touched.
 * - `eof`: the source ended where a record could have begun, or before the first byte.
 * - `cut`: the source ended within something; `bytes` came of what was being read (none for a body, which its reader has).
 * - `lost`: what comes next cannot be told; nothing of it was consumed.
 */
export interface StopItem {
  readonly kind: 'stop'
  readonly reason: 'end' | 'eof' | 'cut' | 'lost'
  readonly layer: Layer
  readonly offset: number
  /** What was being read. */
  readonly during: 'header' | 'record-head' | 'body' | 'padding' | 'none'
  readonly bytes: Uint8Array
  /** CHECKPOINT_END is still to come for the checkpoint that was begun. */
  readonly inCheckpoint: boolean
}

/** A legacy payload begins here: whoever understands it reads on from `reader`. The walk ends behind it. */
export interface LegacyItem {
  readonly kind: 'legacy'
  readonly layer: 'legacy'
  readonly offset: number
  readonly reader: ByteReader
}

export type Item = HeaderItem | RecordItem | PaddingItem | LegacyItem | StopItem
