import type { Layer } from '../image/item.ts'
import type { ImageFormat } from '../image/recognise.ts'
import type { LegacySummary } from '../legacy/summary.ts'
import type { RuleCode } from './table.ts'
import type { Verdicts } from './verdict.ts'

/** One fault, where it is, and who minds. */
export interface Finding extends Verdicts {
  /** A key of the rule table, or of the legacy one. */
  readonly code: RuleCode | `LG_${string}`
  /** `error`: the specification or Xen's restorer refuses; `warning`: only the verifier does, or nobody but it loses data; `note`: nobody minds. */
  readonly severity: 'error' | 'warning' | 'note'
  /** Bytes from the start of the stream. */
  readonly offset: number
  /** Index of the record, counted over both layers; undefined for headers. */
  readonly record: number | undefined
  readonly layer: Layer
  readonly message: string
  readonly hint: string
}

/** What the restorer would be told of the domain and the stream; what is left out is taken from the stream. */
export interface VerifyOptions {
  readonly format?: ImageFormat | 'auto'
  readonly domain?: 'pv' | 'hvm'
  readonly streamType?: StreamType
  /** `headers`: record heads and order only; `rules`: every rule, reading small bodies and PV page tables; `data`: all page contents too. */
  readonly depth?: 'headers' | 'rules' | 'data'
  /** Checksum of page contents, for depth `data`; crc32 for example. */
  readonly digest?: (bytes: Uint8Array) => number
  /** Reads bytes of the image again, for sources that can; spares a PV stream's pages from being read to find start_info. */
  readonly reread?: Reread
  /** Called now and then with the number of bytes behind the reader. */
  readonly onProgress?: (offset: number) => void
}

/** Bytes at an offset from the start of the stream; fewer at its end. */
export type Reread = (offset: number, length: number) => Uint8Array | Promise<Uint8Array>

export type StreamType = 'plain' | 'remus' | 'colo'

/** Everything found in one image. */
export interface Verification {
  readonly format: ImageFormat | 'unknown'
  readonly guest: 'pv' | 'hvm' | 'unknown'
  readonly streamType: StreamType
  readonly verdict: Verdicts
  readonly findings: readonly Finding[]
  /** Findings left out of the list because a single rule was broken more often than the limit. */
  readonly suppressed: number
  /** Bytes of the image. */
  readonly bytes: number
  /** Checkpoints that are complete. */
  readonly checkpoints: number
  /** What a legacy payload holds. */
  readonly legacy: LegacySummary | undefined
  /** Depth `data` only. */
  readonly pages: { readonly read: number; readonly zero: number; readonly digest: number } | undefined
}
