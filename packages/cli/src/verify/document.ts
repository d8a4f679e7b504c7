import type { Finding, Verification } from '@xen-replication/format'
import type { ErrorDocument } from '../render-error.ts'

/** Whose verdict is asked for. */
export const judges = ['xen', 'verifier', 'strict'] as const
export type Judge = (typeof judges)[number]

/** One file of `xr verify --json`. */
export type VerifiedFile = FileVerdict | { readonly file: string; readonly error: ErrorDocument }

/** What was found in a file that could be read. */
export interface FileVerdict extends Omit<Verification, 'findings' | 'legacy' | 'format'> {
  readonly file: string
  readonly format: Verification['format'] | 'qemu'
  readonly findings: readonly FindingDocument[]
  readonly seconds: number
}

/** A finding as it stands in JSON; a header's has `record` null. */
export type FindingDocument = Omit<Finding, 'record' | 'code' | 'layer'> & { readonly code: string; readonly layer: string; readonly record: number | null }

/** The contract of `xr verify --json`, one file of it. */
export function fileDocument(file: string, verification: Verification, seconds: number): FileVerdict {
  const { format, guest, streamType, verdict, findings, suppressed, bytes, checkpoints, pages } = verification
  const documents = findings.map((finding) => findingDocument(finding))
  return { file, format, guest, streamType, verdict, findings: documents, suppressed, bytes, checkpoints, pages, seconds }
}

function findingDocument({ code, severity, offset, record, layer, message, hint, xen, verifier, strict }: Finding): FindingDocument {
  return { code, severity, offset, record: record ?? null, layer, message, hint, xen, verifier, strict }
}
