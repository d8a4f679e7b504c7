import type { Finding, Summary, Verification, Verdicts } from '@xen-replication/format'
import type { ImageReading } from '../input/read-image.ts'
import type { TrailingBytes } from '../input/trailing-bytes.ts'

/** `xr show --json`. */
export interface ShownImage extends Summary {
  readonly file: string
  /** Of the image, without what follows its end. */
  readonly bytes: number
  readonly streamType: Verification['streamType']
  readonly trailing: TrailingBytes | undefined
  readonly verdict: Verdicts
  /** Whether Xen's restorer takes it, and when not, the first reason. */
  readonly restores: { readonly would: boolean; readonly why: Pick<Finding, 'code' | 'message' | 'offset' | 'hint'> | undefined }
  readonly findings: number
  /** With `--data` only. */
  readonly pages: Verification['pages']
  readonly seconds: number
}

export function shown(file: string, summary: Summary, { verification, seconds }: ImageReading, trailing: TrailingBytes | undefined): ShownImage {
  const { verdict, findings, suppressed, pages, bytes, streamType } = verification
  return {
    file,
    ...summary,
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
