import type { Finding, LegacySummary, Summary, Verification, Verdicts } from '@xen-replication/format'
import type { ImageReading } from '../input/read-image.ts'
import type { TrailingBytes } from '../input/trailing-bytes.ts'

/** `xr show --json`. */
export interface ShownImage extends Summary {
  readonly file: string
  /** Of the image, without what follows its end. */
  readonly bytes: number
  readonly streamType: Verification['streamType']
  readonly trailing: TrailingBytes | undefined
  /** What a legacy payload holds; the libxc summary is missing then. */
  readonly legacy: LegacyDocument | undefined
  readonly verdict: Verdicts
  /** Whether Xen's restorer takes it, and when not, the first reason. */
  readonly restores: { readonly would: boolean; readonly why: Pick<Finding, 'code' | 'message' | 'offset' | 'hint'> | undefined }
  readonly findings: number
  /** With `--data` only. */
  readonly pages: Verification['pages']
  readonly seconds: number
}

/** A legacy summary as it stands in JSON. */
export interface LegacyDocument extends Omit<LegacySummary, 'hvmParams'> {
  readonly hvmParams: readonly { readonly index: number; readonly value: bigint }[]
}

export function shown(file: string, summary: Summary, { verification, seconds }: ImageReading, trailing: TrailingBytes | undefined): ShownImage {
  const { verdict, findings, suppressed, pages, bytes, streamType, legacy } = verification
  return {
    file,
    ...summary,
    guest: legacy?.guest ?? summary.guest,
    legacy: legacy && legacyDocument(legacy),
    bytes,
    streamType,
    trailing,
    verdict,
    restores: { would: verdict.xen === 'accept', why: reasonOf(findings) },
    findings: findings.length + suppressed,
    pages,
    seconds,
  }
}

function reasonOf(findings: readonly Finding[]): ShownImage['restores']['why'] {
  const finding = findings.find(({ xen }) => xen === 'reject')
  return finding === undefined ? undefined : { code: finding.code, message: finding.message, offset: finding.offset, hint: finding.hint }
}

function legacyDocument({ hvmParams, ...legacy }: LegacySummary): LegacyDocument {
  return { ...legacy, hvmParams: [...hvmParams].map(([index, value]) => ({ index, value })) }
}
